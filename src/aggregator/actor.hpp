/// The aggregator actor.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "aggregator/holdings.hpp"
#include "aggregator/intake.hpp"
#include "aggregator/leases.hpp"
#include "aggregator/requests.hpp"

#include <meridian/channel.hpp>
#include <meridian/doorbell.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Owns what the aggregator holds. Everything in here runs on the aggregator's strand, one message
/// at a time; the only way in is the two lanes.
///
/// The actor only ever reads the lanes without waiting, and waits for the doorbell. A receive that
/// waits on the data lane would hold a batch that a request could not see yet.
class Actor {
 public:
  Actor(const AggregatorOptions& options, const asio::any_io_executor& strand,
        Receiver<FrameBatch> data, Receiver<request::Request> control,
        std::shared_ptr<Doorbell> bell, std::shared_ptr<HoldsSenders> holds_senders);
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// Runs until all handles are gone, or one of them shuts it down.
  ///
  /// Only a bug or a lack of memory can cause an exception in here. It is rethrown out of the
  /// execution context's `run`, and the actor goes on. So the program can still shut the actor down
  /// and save what it holds. The request or batch that failed is gone. The caller of a request gets
  /// Errc::reply_dropped.
  [[nodiscard]] asio::awaitable<void> run();

 private:
  /// One round over both lanes. True if there may be more.
  [[nodiscard]] bool turn();

  /// Calls `function`, and returns what it returns. If it throws, keeps the exception for
  /// `report_fault` and returns `where_it_throws`.
  template <typename Function>
  bool attempt(Function&& function, bool where_it_throws = false);

  /// Rethrows the kept exception out of the execution context's `run`.
  void report_fault() noexcept;

  /// Takes out everything that the actor holds, even if a part of it is broken.
  [[nodiscard]] FinalState close();

  /// Answers a bounded number of the requests that wait in the control lane. True if there may be
  /// more.
  bool serve_requests();

  /// Takes out of the buffer what one step of a drain may take. Then lets in batches that find
  /// room.
  [[nodiscard]] request::DrainReply take(const DrainQuery& query, FrameBuffer::KeptRoom room,
                                         request::DrainProgress progress);

  /// Whether a drain goes on with batches that wait in front of the buffer, so that it sees all
  /// frames that were sent before it.
  [[nodiscard]] bool may_go_past(const DrainQuery& query, FrameBuffer::KeptRoom room) const;

  /// Takes one step of such a drain past the buffer, and adds what it takes to `reply`. True if
  /// there was nothing more to look at.
  bool take_past(const DrainQuery& query, FrameBuffer::KeptRoom room, request::DrainReply& reply);

  void settle(const std::vector<request::SettledBatch>& batches, FrameBuffer::KeptRoom room);

  /// Sets the timer that rings when the next lease expires.
  void watch_expiry();

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
  void answer(request::ForgetOrigins& request);
  void answer(request::AgeOrigins& request);
  void answer(request::GiveUp& request);
  void answer(request::AwaitOpen& request);
  void answer(request::Consume& request);
  void answer(request::ReadNext& request);
  void answer(request::Acknowledge& request);
  void answer(request::Suspend& request);
  void answer(request::Resume& request);
  void answer(request::BeginTail& request);
  void answer(request::NextOfTail& request);
  void answer(request::EndTail& request);

  Receiver<request::Request> control_;
  std::shared_ptr<Doorbell> bell_;

  Holdings holdings_;
  Intake intake_;
  asio::steady_timer expiry_timer_;
  std::optional<Leases::Clock::time_point> watched_expiry_;
  std::exception_ptr fault_;  // the first that is not reported yet
  bool ended_ = false;        // all handles are gone, or one has shut the actor down
};

}  // namespace meridian::inline v2::aggregator
