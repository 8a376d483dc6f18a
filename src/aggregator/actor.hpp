/// The aggregator actor.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "aggregator/holdings.hpp"
#include "aggregator/leases.hpp"
#include "aggregator/requests.hpp"

#include <meridian/channel.hpp>
#include <meridian/doorbell.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

namespace meridian::inline v1 {

/// Owns what the aggregator holds. Everything in here runs on the aggregator's strand, one message
/// at a time; the only way in is the two lanes.
///
/// Both lanes are only ever read without waiting, and the doorbell is what the actor waits for. A
/// receive that waits on the data lane would hold a batch that a request could not see yet.
class Actor {
 public:
  Actor(const AggregatorOptions& options, const asio::any_io_executor& strand,
        Receiver<FrameBatch> data, Receiver<request::Request> control,
        std::shared_ptr<Doorbell> bell);
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// Runs until all handles are gone, or one of them shuts it down.
  ///
  /// What is thrown in here, which only a bug or the end of memory can bring about, is thrown out
  /// of the execution context's `run`, and the actor goes on: so whoever runs it may still shut it
  /// down and save what it holds. A request or batch that it happened to is gone; whoever asked
  /// gets Errc::reply_dropped.
  [[nodiscard]] asio::awaitable<void> run();

 private:
  /// One round over both lanes. True if there may be more.
  [[nodiscard]] bool turn();

  /// Calls `function`, and keeps what it throws for `report_fault`: false then, or where it returns
  /// that.
  template <typename Function>
  bool attempt(Function&& function);

  /// Has what was thrown in here thrown out of the execution context's `run`.
  void report_fault() noexcept;

  /// What it holds, however much of it is broken.
  [[nodiscard]] FinalState close();

  /// Answers what waits in the control lane, a bounded number. True if there may be more.
  bool serve_requests();

  /// Takes what waits in the data lane, at most `max_batches`, as far as the buffer lets it.
  /// True if there may be more.
  bool take_batches(std::size_t max_batches);

  /// Lets as much of a batch in as there is room for, and holds the rest.
  void accept(FrameBatch batch);

  /// Takes out of the buffer what one step of a drain may, and lets in what finds room then.
  [[nodiscard]] request::DrainReply take(const DrainQuery& query, FrameBuffer::Room room,
                                         request::DrainProgress progress);

  /// Rings when the next lease expires.
  void watch_expiry();

  /// Takes the next batch out of the channel.
  [[nodiscard]] std::optional<FrameBatch> next_batch();

  /// The channel is never longer than just before the actor takes something out.
  void note_channel_peak() noexcept;

  void answer(request::GetDepth& request);
  void answer(request::GetStats& request);
  void answer(request::TakeDropReport& request);
  void answer(request::TakePeaks& request);
  void answer(request::Restore& request);
  void answer(request::SetLimits& request);
  void answer(request::ReleaseBackpressure& request);
  void answer(request::ShutDown& request);
  void answer(request::Drain& request);
  void answer(request::Lease& request);
  void answer(request::EndLease& request);
  void answer(request::WithdrawLease& request);
  void answer(request::PutBack& request);
  void answer(request::Settle& request);
  void answer(request::Flush& request);
  void answer(request::GetOrigins& request);
  void answer(request::SumOrigins& request);
  void answer(request::GiveUp& request);
  void answer(request::Consume& request);
  void answer(request::ReadNext& request);
  void answer(request::Acknowledge& request);
  void answer(request::Suspend& request);
  void answer(request::Resume& request);
  void answer(request::BeginTail& request);
  void answer(request::NextOfTail& request);
  void answer(request::EndTail& request);

  Receiver<FrameBatch> data_;
  Receiver<request::Request> control_;
  std::shared_ptr<Doorbell> bell_;

  Holdings holdings_;
  asio::steady_timer expiry_timer_;
  std::optional<Leases::Clock::time_point> watched_expiry_;
  std::size_t channel_peak_ = 0;     // since it was last asked for
  std::optional<FrameBatch> held_;   // the rest of a batch, waiting for room (backpressure)
  std::uint64_t batches_taken_ = 0;  // from the data lane, the held one included
  std::uint64_t pass_until_ = 0;     // batches up to this one may use the room of what was lent
  std::exception_ptr fault_;         // the first one that was not reported
  bool ended_ = false;               // all handles are gone, or it was shut down
};

}  // namespace meridian::inline v1
