/// How much the buffer may hold, and what takes up its room.
#pragma once

#include "aggregator/amounts.hpp"
#include "aggregator/kept_room.hpp"

#include <meridian/aggregator.hpp>

#include <cstdint>
#include <utility>

namespace meridian::inline v2::aggregator {

/// The limits of the buffer, and the amounts that count against them: what is buffered, lent and
/// leased. Knows amounts only, and drops nothing: FrameBuffer applies the policy.
///
/// Errors: a call that subtracts more than was counted throws std::logic_error, and changes
/// nothing. Not thread-safe: owned by FrameBuffer.
class BufferRoom {
 public:
  explicit BufferRoom(const BufferLimits& limits) noexcept : limits_(limits) {}

  // What takes up room.

  /// Frames have come into the buffer.
  void add(const Amount& amount) noexcept { add_to(depth_, amount); }

  /// Frames have left the buffer. Throws if there are fewer in it.
  void remove(const Amount& amount) { subtract_from(depth_, amount); }
  void remove_all() noexcept { depth_ = {}; }

  /// Keeps room for frames that were taken out of the buffer. `KeptRoom::none` keeps nothing.
  void keep(const Amount& amount, KeptRoom room) noexcept;

  /// Stops keeping room: the frames come back, or are gone for good. Throws if less is kept.
  void settle(const Amount& amount, KeptRoom room);

  [[nodiscard]] const Amount& depth() const noexcept { return depth_; }
  [[nodiscard]] const Amount& leased() const noexcept { return leased_; }

  /// What is buffered and leased. New frames cannot have this room under any policy.
  [[nodiscard]] Amount used() const noexcept;

  /// The same, with the room that lent frames keep.
  [[nodiscard]] Amount used_or_lent() const noexcept;

  /// Notes the depth for high water and peak. To be called once the policy has been applied.
  void note_high_water() noexcept;

  /// The highest level since the last call.
  [[nodiscard]] Amount take_peak() noexcept { return std::exchange(peak_, depth_); }

  [[nodiscard]] BufferLevel level() const noexcept {
    return {depth_, high_water_, limits_, lent_, leased_};
  }

  // The limits.

  [[nodiscard]] const BufferLimits& limits() const noexcept { return limits_; }
  void set_limits(const BufferLimits& limits) noexcept { limits_ = limits; }

  /// From now on nothing waits: under `WhenFull::backpressure` the limits no longer apply.
  void release_backpressure() noexcept {
    backpressure_released_ = limits_.when_full == WhenFull::backpressure;
  }

  /// Whether new frames wait until there is room for them.
  [[nodiscard]] bool holds_back() const noexcept {
    return limits_.when_full == WhenFull::backpressure && !backpressure_released_;
  }

  [[nodiscard]] bool exceeds_limits(const Amount& amount) const noexcept {
    return amount.frames > limits_.max_frames || amount.bytes > limits_.max_bytes;
  }

  /// By how much an amount exceeds the limits.
  [[nodiscard]] Amount excess(const Amount& amount) const noexcept {
    return over(amount, {.frames = limits_.max_frames, .bytes = limits_.max_bytes});
  }

  /// How much room the limits leave beside an amount.
  [[nodiscard]] Amount room_beside(const Amount& amount) const noexcept {
    return over({.frames = limits_.max_frames, .bytes = limits_.max_bytes}, amount);
  }

  /// Whether the buffer and what keeps its room are within the limits.
  [[nodiscard]] bool within_limits() const noexcept { return !exceeds_limits(used_or_lent()); }

  // What finds room.

  /// How many leading frames of a batch can be added now; the others must wait. All of them, unless
  /// it `holds_back`.
  [[nodiscard]] std::uint32_t admits(const FrameBatch& batch) const noexcept;

  /// How many leading frames find room beside what is buffered and leased.
  [[nodiscard]] std::uint32_t frames_that_fit(const FrameBatch& batch) const noexcept;

  /// How many leading frames find no room there, even alone.
  [[nodiscard]] std::uint32_t frames_without_room(const FrameBatch& batch) const;

  /// How many leading frames would each find room in a buffer that is empty but for what is leased.
  [[nodiscard]] std::uint32_t frames_beside_leases(const FrameBatch& batch) const;

  /// How many leading frames are each larger than the whole buffer.
  [[nodiscard]] std::uint32_t frames_too_large(const FrameBatch& batch) const;

  /// Whether the policy would have to act if a batch were added, or as much of it as an empty
  /// buffer takes.
  [[nodiscard]] bool lacks_room_for(const FrameBatch& batch) const noexcept;

  // An excess over the limits is due to frames that passed, unless it is excused. A restore and
  // narrower limits are excuses: the buffer then takes in nothing anyway, so that senders need not
  // be held.

  /// Whether frames that passed keep the buffer above its limits, so that senders have to wait.
  /// Always false unless it `holds_back`.
  [[nodiscard]] bool waits_for_its_limits() const noexcept;

  /// Up to this level, any excess is excused.
  [[nodiscard]] Amount excused_level() const noexcept;

  /// Excuses the present level, up to `most`.
  void excuse_up_to(const Amount& most) noexcept;
  void excuse_all() noexcept { excused_ = used_or_lent(); }

  /// Ends the excuse if the buffer is within its limits: any later excess is due to frames that
  /// passed. To be called before frames pass or are put back.
  void forget_excuse() noexcept;

 private:
  [[nodiscard]] std::uint32_t frames_that_fit_beside(const FrameBatch& batch,
                                                     const Amount& amount) const noexcept;

  BufferLimits limits_;
  Amount depth_;
  Amount lent_;
  Amount leased_;
  Amount excused_;  // the level after a restore, or when the limits became narrower
  Amount high_water_;
  Amount peak_;  // the highest depth since it was last asked for
  bool backpressure_released_ = false;
};

}  // namespace meridian::inline v2::aggregator
