// The buffer against a model that keeps single frames in a deque. What is one batch in the buffer
// is of one satellite here; frame_buffer_mixed_test.cpp has the others.
#include "aggregator/frame_buffer.hpp"
#include "integration/harness/deadlines.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using KeptRoom = FrameBuffer::KeptRoom;

/// Frames are numbered as they come; the number is the sequence, too.
struct ModelFrame {
  std::uint64_t number;
  SatelliteId satellite;
  std::uint64_t bytes;

  friend bool operator==(const ModelFrame&, const ModelFrame&) = default;
  friend void PrintTo(const ModelFrame& frame, std::ostream* out) {
    *out << frame.number << " of " << frame.satellite;
  }
};
using ModelFrames = std::vector<ModelFrame>;

ModelFrames frames_of(const FrameBatch& batch) {
  ModelFrames frames;
  for (const FrameView frame : batch) {
    frames.push_back(
        {frame.header.sequence, frame.header.origin.satellite_id, frame.octets.size()});
  }
  return frames;
}

ModelFrames frames_of(const std::vector<BufferedBatch>& batches) {
  ModelFrames frames;
  for (const BufferedBatch& buffered : batches) {
    std::ranges::copy(frames_of(buffered.batch), std::back_inserter(frames));
  }
  return frames;
}

class Model {
 public:
  explicit Model(const BufferLimits& limits) : limits_(limits) {}

  [[nodiscard]] std::uint32_t admits(const ModelFrames& batch) const {
    if (limits_.when_full != WhenFull::backpressure) {
      return static_cast<std::uint32_t>(batch.size());
    }
    std::uint32_t too_large = 0;
    while (too_large < batch.size() && batch[too_large].bytes > limits_.max_bytes) {
      ++too_large;
    }
    return too_large > 0 ? too_large : fits(batch);
  }

  void add(const ModelFrames& batch) {
    if (limits_.when_full == WhenFull::drop_oldest) {
      for (const ModelFrame& frame : batch) {
        if (frame.bytes > limits_.max_bytes) {
          dropped_.push_back(frame);
        } else {
          while (leases_frames() + 1 > limits_.max_frames ||
                 leases_bytes() + frame.bytes > limits_.max_bytes) {
            evict_lease();
          }
          push(frame);
          evict_oldest();
        }
      }
    } else {
      for (const ModelFrame& frame : batch) {
        if (limits_.when_full == WhenFull::drop_newest ? fits({frame}) == 1
                                                       : frame.bytes <= limits_.max_bytes) {
          push(frame);
        } else {
          dropped_.push_back(frame);
        }
      }
    }
    note_high_water();
  }

  ModelFrames take(std::uint64_t max_frames, std::optional<SatelliteId> satellite, KeptRoom room) {
    ModelFrames taken;
    std::deque<ModelFrame> left;
    for (const ModelFrame& frame : frames_) {
      const bool wanted = !satellite || frame.satellite == *satellite;
      if (wanted && taken.size() < max_frames) {
        taken.push_back(frame);
        bytes_ -= frame.bytes;
      } else {
        left.push_back(frame);
      }
    }
    frames_ = std::move(left);
    if (room == KeptRoom::leased && !taken.empty()) {
      leases_.push_back(taken);
    } else if (room == KeptRoom::lent) {
      lend(taken);
    }
    return taken;
  }

  /// What was taken keeps its room until it comes back, or is known not to.
  void settle(const ModelFrames& frames, KeptRoom room) {
    if (room == KeptRoom::leased) {
      leases_.erase(std::ranges::find(leases_, frames));
      return;
    }
    for (const ModelFrame& frame : frames) {
      --lent_frames_;
      lent_bytes_ -= frame.bytes;
    }
  }

  void put_back(const ModelFrames& frames, KeptRoom room) {
    settle(frames, room);
    for (const ModelFrame& frame : frames) {
      frames_.insert(std::ranges::lower_bound(frames_, frame.number, {}, &ModelFrame::number),
                     frame);
      bytes_ += frame.bytes;
    }
    apply_policy();
  }

  void set_limits(const BufferLimits& limits) {
    limits_ = limits;
    if (limits_.when_full == WhenFull::drop_oldest) {
      // A lease that cannot stay goes first: it would empty the buffer for nothing.
      while (leases_frames() > limits_.max_frames || leases_bytes() > limits_.max_bytes) {
        evict_lease();
      }
    }
    apply_policy();
  }

  [[nodiscard]] Amount depth() const { return {frames_.size(), bytes_}; }
  [[nodiscard]] Amount high_water() const { return high_water_; }

  /// What was dropped, by number, since the last call.
  ModelFrames take_dropped() {
    std::ranges::sort(dropped_, {}, &ModelFrame::number);
    return std::exchange(dropped_, {});
  }

 private:
  void apply_policy() {
    if (limits_.when_full == WhenFull::drop_oldest) {
      evict_oldest();
    } else if (limits_.when_full == WhenFull::drop_newest) {
      while (over_limits() && !frames_.empty()) {
        dropped_.push_back(frames_.back());
        bytes_ -= frames_.back().bytes;
        frames_.pop_back();
      }
    }
    note_high_water();
  }
  [[nodiscard]] bool over_limits() const {
    return frames_.size() + leases_frames() > limits_.max_frames ||
           bytes_ + leases_bytes() > limits_.max_bytes;
  }
  [[nodiscard]] std::uint32_t fits(const ModelFrames& batch) const {
    const bool counts_lent = limits_.when_full == WhenFull::backpressure;
    std::uint64_t bytes = bytes_ + leases_bytes() + (counts_lent ? lent_bytes_ : 0);
    const std::uint64_t frames =
        frames_.size() + leases_frames() + (counts_lent ? lent_frames_ : 0);
    std::uint32_t count = 0;
    for (const ModelFrame& frame : batch) {
      bytes += frame.bytes;
      if (bytes > limits_.max_bytes || frames + count + 1 > limits_.max_frames) {
        break;
      }
      ++count;
    }
    return count;
  }
  [[nodiscard]] std::uint64_t leases_frames() const {
    std::uint64_t frames = 0;
    for (const ModelFrames& lease : leases_) {
      frames += lease.size();
    }
    return frames;
  }
  [[nodiscard]] std::uint64_t leases_bytes() const {
    std::uint64_t bytes = 0;
    for (const ModelFrames& lease : leases_) {
      for (const ModelFrame& frame : lease) {
        bytes += frame.bytes;
      }
    }
    return bytes;
  }
  void evict_lease() {
    std::ranges::copy(leases_.front(), std::back_inserter(dropped_));
    leases_.erase(leases_.begin());
  }
  void lend(const ModelFrames& frames) {
    for (const ModelFrame& frame : frames) {
      ++lent_frames_;
      lent_bytes_ += frame.bytes;
    }
  }
  void push(const ModelFrame& frame) {
    frames_.push_back(frame);
    bytes_ += frame.bytes;
  }
  void evict_oldest() {
    while (over_limits() && !frames_.empty()) {
      dropped_.push_back(frames_.front());
      bytes_ -= frames_.front().bytes;
      frames_.pop_front();
    }
  }
  void note_high_water() {
    high_water_.frames = std::max<std::uint64_t>(high_water_.frames, frames_.size());
    high_water_.bytes = std::max(high_water_.bytes, bytes_);
  }

  BufferLimits limits_;
  std::deque<ModelFrame> frames_;
  std::uint64_t bytes_ = 0;
  std::uint64_t lent_frames_ = 0;
  std::uint64_t lent_bytes_ = 0;
  std::vector<ModelFrames> leases_;  // the oldest first
  Amount high_water_;
  ModelFrames dropped_;
};

struct Setting {
  const char* name;
  WhenFull when_full;
  bool small = false;  ///< batches are small, and so are joined; of one satellite all of them
};

class BufferAndModel : public testing::TestWithParam<Setting> {
 protected:
  BufferAndModel()
      : more_payload_(GetParam().small ? 0 : FramePage::small_bytes),
        most_satellite_(GetParam().small ? 0 : 2),
        limits_{.max_frames = 60,
                .max_bytes = 2500 + 50 * more_payload_,
                .when_full = GetParam().when_full},
        model_(limits_),
        buffer_(
            limits_,
            [this](DropReason, const FrameBatch& batch, std::uint64_t) {
              std::ranges::copy(frames_of(batch), std::back_inserter(dropped_));
            },
            [this](const Amount&) { return evict_lease(); }) {}

  bool evict_lease() {
    const auto oldest = std::ranges::find(outside_, KeptRoom::leased, &Outside::room);
    if (oldest == outside_.end()) {
      return false;
    }
    std::ranges::copy(frames_of(oldest->batches), std::back_inserter(dropped_));
    settle(*oldest);
    outside_.erase(oldest);
    return true;
  }

  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  /// What was taken, and may come back.
  struct Outside {
    KeptRoom room;
    std::vector<BufferedBatch> batches;
  };

  void settle(const Outside& outside) {
    for (const BufferedBatch& each : outside.batches) {
      buffer_.settle({each.batch.frames(), each.batch.bytes()}, outside.room);
    }
  }

  void add() {
    FrameBatchBuilder builder;
    const std::uint64_t frames = 1 + up_to(up_to(20) == 0 ? 80 : 8);
    const auto satellite = static_cast<SatelliteId>(up_to(most_satellite_));
    for (std::uint64_t i = 0; i < frames; ++i) {
      const std::size_t payload_bytes =
          up_to(500) == 0 ? widest_.max_bytes + 500 : more_payload_ + up_to(60);
      builder.append(test::header(satellite, 0, next_number_++),
                     test::sample_payload(payload_bytes));
    }
    FrameBatch batch = builder.finish({}).value();
    const std::uint32_t admitted = buffer_.admits(batch);
    ASSERT_EQ(admitted, model_.admits(frames_of(batch)));
    if (admitted == 0) {
      return;
    }
    FrameBatch front = admitted < batch.frames() ? batch.split_front(admitted) : std::move(batch);
    model_.add(frames_of(front));
    buffer_.add(std::move(front));
  }

  /// Takes frames in steps. Sometimes they stay outside for a while.
  void take() {
    FrameBuffer::Step step;
    step.max_frames = up_to(40);
    step.max_batches = 1 + up_to(3);
    step.room = up_to(1) == 0 ? KeptRoom::lent : KeptRoom::leased;
    if (up_to(1) == 0) {
      step.satellite_id = static_cast<SatelliteId>(up_to(most_satellite_));
    }
    const ModelFrames expected = model_.take(step.max_frames, step.satellite_id, step.room);
    std::vector<BufferedBatch> taken;
    for (bool done = false; !done;) {
      FrameBuffer::Taken part = buffer_.take(step);
      EXPECT_EQ(part.amount.frames, frames_of(part.batches).size());
      step.max_frames -= part.amount.frames;
      step.from_place = part.next_place;
      std::ranges::move(part.batches, std::back_inserter(taken));
      done = part.reached_end || step.max_frames == 0;
    }
    ASSERT_EQ(frames_of(taken), expected);
    if (expected.empty()) {
      return;
    }
    Outside outside{step.room, std::move(taken)};
    if (up_to(2) > 0) {
      outside_.push_back(std::move(outside));
    } else {
      model_.settle(expected, step.room);
      settle(outside);
    }
  }

  void put_back() {
    if (outside_.empty()) {
      return;
    }
    const auto chosen = outside_.begin() + static_cast<std::ptrdiff_t>(up_to(outside_.size() - 1));
    Outside outside = std::move(*chosen);
    outside_.erase(chosen);
    model_.put_back(frames_of(outside.batches), outside.room);
    buffer_.put_back(std::move(outside.batches), outside.room);
  }

  /// Others than the first ones, and never wider.
  void set_limits() {
    limits_.max_frames = 10 + up_to(50);
    limits_.max_bytes = (limits_.max_frames - 10) * (2500 + 50 * more_payload_) / 50;
    limits_.max_bytes = std::max<std::uint64_t>(limits_.max_bytes, 500);
    model_.set_limits(limits_);
    buffer_.set_limits(limits_);
  }

  void compare() {
    // Where nothing may be dropped for them, narrower limits are kept once there has been room.
    const BufferLimits& kept = limits_.when_full == WhenFull::backpressure ? widest_ : limits_;
    const Amount leased = buffer_.leased();
    ASSERT_LE(buffer_.depth().frames + leased.frames, std::max(kept.max_frames, leased.frames));
    ASSERT_LE(buffer_.depth().bytes + leased.bytes, std::max(kept.max_bytes, leased.bytes));
    if (limits_.when_full == WhenFull::drop_oldest) {
      ASSERT_LE(leased.frames, limits_.max_frames);
      ASSERT_LE(leased.bytes, limits_.max_bytes);
    }
    ASSERT_EQ(buffer_.depth().frames, model_.depth().frames);
    ASSERT_EQ(buffer_.depth().bytes, model_.depth().bytes);
    ASSERT_EQ(buffer_.level().high_water.frames, model_.high_water().frames);
    ASSERT_EQ(buffer_.level().high_water.bytes, model_.high_water().bytes);
    std::ranges::sort(dropped_, {}, &ModelFrame::number);
    ASSERT_EQ(std::exchange(dropped_, {}), model_.take_dropped());
  }

  std::size_t more_payload_;
  std::uint64_t most_satellite_;
  BufferLimits limits_;
  BufferLimits widest_ = limits_;
  std::mt19937_64 random_{60};
  std::uint64_t next_number_ = 0;
  Model model_;
  ModelFrames dropped_;
  std::vector<Outside> outside_;  // the oldest first
  FrameBuffer buffer_;
};

TEST_P(BufferAndModel, KeepAndDropTheSameFramesInOrder) {
  const int steps = test::slowdown == 1 ? 20'000 : 2'000;
  for (int step = 0; step < steps; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (up_to(5)) {
      case 0:
        take();
        break;
      case 1:
        put_back();
        break;
      case 2:
        if (up_to(10) == 0) {
          set_limits();
          break;
        }
        [[fallthrough]];
      default:
        add();
        break;
    }
    if (HasFatalFailure()) {
      return;
    }
    compare();
    if (HasFatalFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, BufferAndModel,
                         testing::Values(Setting{"DropOldest", WhenFull::drop_oldest},
                                         Setting{"DropNewest", WhenFull::drop_newest},
                                         Setting{"Backpressure", WhenFull::backpressure},
                                         Setting{"JoinedDropOldest", WhenFull::drop_oldest, true},
                                         Setting{"JoinedDropNewest", WhenFull::drop_newest, true},
                                         Setting{"JoinedBackpressure", WhenFull::backpressure,
                                                 true}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace meridian::test
