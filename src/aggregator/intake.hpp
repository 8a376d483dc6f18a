/// What comes before the buffer: the channel's receiving end, and batches that wait for room.
#pragma once

#include "aggregator/holdings.hpp"
#include "aggregator/requests.hpp"

#include <meridian/channel.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Set while the aggregator wants no more batches in the channel. Senders check it before they
/// send. If it is set, they ask to be told when they may send.
using HoldsSenders = std::atomic<bool>;

/// Moves batches out of the channel into the buffer, as far as the buffer admits them. Backpressure
/// leaves them here and in the channel.
///
/// Usually at most the rest of one batch waits here. But a drain may continue past the buffer, with
/// frames that find no room in it. It takes the batches that it looks at out of the channel. These
/// still count as if they were in the channel, and so do frames that passed: otherwise each such
/// drain would let in another channelful.
///
/// Batches are numbered as they leave the channel, from 1 on. Not thread-safe: owned by the actor.
class Intake {
 public:
  Intake(Receiver<FrameBatch> data, Holdings& holdings, std::shared_ptr<HoldsSenders> holds_senders)
      : data_(std::move(data)), holdings_(holdings), holds_senders_(std::move(holds_senders)) {}

  /// Takes in the batches that wait here, and at most `max_batches` from the channel, as far as the
  /// buffer admits them. True if there may be more.
  bool take_in(std::size_t max_batches);

  /// The same for everything that was sent so far.
  bool take_in_all() { return take_in(data_.level().capacity); }

  /// Whether something has left the channel and waits for room.
  [[nodiscard]] bool is_held() const noexcept { return !waiting_.empty(); }

  /// The number of the last batch whose send has completed. Call it after `take_in_all`.
  [[nodiscard]] std::uint64_t last_sent() const noexcept {
    return taken_ + (is_held() ? data_.level().length : 0);
  }

  /// Whether this batch and all before it have gone into the buffer, or past it.
  [[nodiscard]] bool is_through(std::uint64_t number) const noexcept {
    return is_held() ? waiting_.begin()->first > number : taken_ >= number;
  }

  /// One step of a drain that continues past the buffer. Leased frames alone must stay within the
  /// buffer's limits: the drain ends where more would pass.
  struct Past {
    std::uint64_t max_frames = 0;
    std::optional<SatelliteId> satellite_id;
    std::uint64_t from_number = 0;   ///< the batches before it were looked at
    std::uint64_t until_number = 0;  ///< the last one to look at
    FrameBuffer::KeptRoom room = FrameBuffer::KeptRoom::none;
  };
  struct Passed {
    std::vector<BufferedBatch> batches;
    Amount amount;
    std::uint64_t next_number = 0;  ///< where the next step goes on
    bool reached_end = false;
  };
  [[nodiscard]] Passed pass(const Past& step);

  /// Takes out what waits for room, here and in the channel, for a flush.
  [[nodiscard]] std::vector<FrameBatch> take_held();

  /// Replies once senders need not wait any longer.
  void tell_when_open(OneshotSender<request::Done> reply);

  /// Refuses sends from now on. What was sent can still be taken.
  void close() { data_.close(); }

  /// The level of the channel. What was taken out of it only to be looked at counts as if it were
  /// still there.
  [[nodiscard]] ChannelLevel level() const noexcept;

  /// The longest that the channel was since the last call.
  [[nodiscard]] std::size_t take_peak() noexcept;

 private:
  /// The next batch out of the channel, which gets its number.
  [[nodiscard]] std::optional<FrameBatch> receive();

  // Each stops at a batch that finds no room for some of its frames, and returns false then.
  // `take_in_new` also returns false once the channel is empty.
  bool take_in_waiting();
  bool take_in_new(std::size_t max_batches);
  bool accept(std::uint64_t number, FrameBatch batch);

  /// Takes all batches up to this one out of the channel, to look at them. They wait here.
  void fetch_until(std::uint64_t number);

  using Waiting = std::map<std::uint64_t, FrameBatch>;  // by number

  /// The first batch from `number` on, taken out of the channel if need be; the end if there is
  /// none up to `until_number`.
  [[nodiscard]] Waiting::iterator look_at(std::uint64_t number, std::uint64_t until_number);

  /// Takes out the frames of one batch that a step wants and may have; the rest stays. Nothing if
  /// there are none.
  [[nodiscard]] std::optional<FrameBatch> take_out(Waiting::iterator at, const Past& step,
                                                   Passed& passed);

  /// How many batches were taken out of the channel only to be looked at, and wait here.
  [[nodiscard]] std::size_t looked_at() const noexcept {
    return waiting_.size() - std::min<std::size_t>(waiting_.size(), 1);
  }

  /// Holds senders while the batches `looked_at` and those in the channel make a channelful, and
  /// while frames that passed keep the buffer above its limits. In both cases, batches have left
  /// the channel that would otherwise still fill it.
  void hold_or_let_go();

  /// The channel is never longer than just before something is taken out.
  void note_peak() noexcept { peak_ = std::max(peak_, data_.level().length); }

  Receiver<FrameBatch> data_;
  Holdings& holdings_;
  std::shared_ptr<HoldsSenders> holds_senders_;
  Waiting waiting_;
  std::vector<OneshotSender<request::Done>> held_senders_;
  std::uint64_t taken_ = 0;  // batches, out of the channel
  std::size_t peak_ = 0;     // of the channel, since it was last asked for
};

}  // namespace meridian::inline v2::aggregator
