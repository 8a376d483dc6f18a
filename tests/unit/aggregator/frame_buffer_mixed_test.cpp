// Batches that hold frames of several satellites, of which a drain takes one. Whatever is taken,
// put back and dropped, the frames of each satellite stay in their order and none is lost or
// doubled.
#include "aggregator/frame_buffer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::size_t satellites = 3;
constexpr std::uint64_t max_frames = 60;

/// Frames are numbered as they come; the number is the sequence, too.
using PerSatellite = std::array<std::deque<std::uint64_t>, satellites>;

void note(const FrameBatch& batch, PerSatellite& out) {
  for (const FrameView frame : batch) {
    out.at(frame.header.origin.satellite_id).push_back(frame.header.sequence);
  }
}

std::size_t size_of(const PerSatellite& frames) {
  std::size_t size = 0;
  for (const auto& each : frames) {
    size += each.size();
  }
  return size;
}

struct Way {
  std::string name;
  WhenFull when_full;
  bool keep_places = false;
};

class MixedBatches : public testing::TestWithParam<Way> {
 protected:
  MixedBatches()
      : buffer_(
            {.max_frames = max_frames, .when_full = GetParam().when_full},
            [this](DropReason, const FrameBatch& batch, std::uint64_t) { note(batch, dropped_); },
            [](const Amount&) { return false; }) {}

  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  void add() {
    FrameBatchBuilder builder;
    const std::uint64_t frames = 1 + up_to(12);
    for (std::uint64_t i = 0; i < frames; ++i) {
      builder.append(test::header(static_cast<SatelliteId>(up_to(2)), 0, next_number_++), {});
    }
    FrameBatch batch = builder.finish({}).value();
    const std::uint32_t admitted = buffer_.admits(batch);
    if (admitted == 0) {
      return;
    }
    FrameBatch front = admitted < batch.frames() ? batch.split_front(admitted) : std::move(batch);
    note(front, inside_);
    buffer_.add(std::move(front));
    account_for_drops();
  }

  void take() {
    FrameBuffer::Step step;
    step.max_frames = up_to(1) == 0 ? 1000 : up_to(20);
    step.max_batches = 1 + up_to(3);
    step.room = FrameBuffer::KeptRoom::lent;
    step.keep_places = GetParam().keep_places;
    if (up_to(3) > 0) {
      step.satellite_id = static_cast<SatelliteId>(up_to(2));
    }
    const std::size_t wanted =
        step.satellite_id ? inside_.at(*step.satellite_id).size() : size_of(inside_);
    const std::size_t expected = std::min<std::size_t>(wanted, step.max_frames);
    PerSatellite taken;
    Outside outside;
    for (bool done = false; !done;) {
      FrameBuffer::Taken part = buffer_.take(step);
      for (BufferedBatch& each : part.batches) {
        note(each.batch, taken);
        note_places(each);
        outside.push_back(std::move(each));
      }
      step.max_frames -= part.amount.frames;
      step.from_place = part.next_place;
      done = part.reached_end || step.max_frames == 0;
    }
    ASSERT_EQ(size_of(taken), expected) << "a frame was passed over";
    for (std::size_t satellite = 0; satellite < satellites; ++satellite) {
      auto& inside = inside_[satellite];
      const auto& got = taken[satellite];
      ASSERT_TRUE(!step.satellite_id || *step.satellite_id == satellite || got.empty());
      ASSERT_TRUE(got.size() <= inside.size() && std::equal(got.begin(), got.end(), inside.begin()))
          << "not the oldest of satellite " << satellite << ", in order";
      inside.erase(inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(got.size()));
    }
    if (up_to(1) == 0) {
      outside_.push_back(std::move(outside));
    }
  }

  /// Whoever reads along knows a frame by its place.
  void note_places(const BufferedBatch& taken) {
    std::uint64_t place = taken.place;
    for (const FrameView frame : taken.batch) {
      const auto [known, added] = places_.emplace(frame.header.sequence, place++);
      if (GetParam().keep_places && !added) {
        EXPECT_EQ(known->second, place - 1) << "of frame " << known->first;
      }
    }
  }

  void put_back() {
    if (outside_.empty()) {
      return;
    }
    std::swap(outside_[up_to(outside_.size() - 1)], outside_.back());
    Outside batches = std::move(outside_.back());
    outside_.pop_back();
    for (const BufferedBatch& each : batches) {
      note(each.batch, inside_);
    }
    for (auto& each : inside_) {
      std::ranges::sort(each);
    }
    buffer_.put_back(std::move(batches), FrameBuffer::KeptRoom::lent);
    account_for_drops();
  }

  /// Dropped frames must be the oldest, or the newest, of their satellite, and no more than needed.
  void account_for_drops() {
    if (size_of(dropped_) > 0) {
      ASSERT_EQ(buffer_.depth().frames, max_frames) << "dropped more than needed";
    }
    for (std::size_t satellite = 0; satellite < satellites; ++satellite) {
      auto& inside = inside_[satellite];
      auto& dropped = dropped_[satellite];
      ASSERT_LE(dropped.size(), inside.size());
      const auto count = static_cast<std::ptrdiff_t>(dropped.size());
      std::ranges::sort(dropped);
      const auto first =
          GetParam().when_full == WhenFull::drop_oldest ? inside.begin() : inside.end() - count;
      ASSERT_TRUE(std::equal(dropped.begin(), dropped.end(), first))
          << "dropped the wrong frames of satellite " << satellite;
      inside.erase(first, first + count);
      dropped.clear();
    }
  }

  using Outside = std::vector<BufferedBatch>;

  std::mt19937_64 random_{61};
  std::uint64_t next_number_ = 0;
  PerSatellite inside_;
  PerSatellite dropped_;
  std::vector<Outside> outside_;
  std::map<std::uint64_t, std::uint64_t> places_;  // by number, of what was taken
  FrameBuffer buffer_;
};

TEST_P(MixedBatches, KeepEachSatellitesFramesInOrder) {
  for (int step = 0; step < 20'000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (up_to(5)) {
      case 0:
      case 1:
        take();
        break;
      case 2:
        put_back();
        break;
      default:
        add();
        break;
    }
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_EQ(buffer_.depth().frames, size_of(inside_));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, MixedBatches,
    testing::Values(Way{"DropOldest", WhenFull::drop_oldest},
                    Way{"DropNewest", WhenFull::drop_newest},
                    Way{"Backpressure", WhenFull::backpressure},
                    Way{"DropOldestAtTheirPlaces", WhenFull::drop_oldest, true},
                    Way{"DropNewestAtTheirPlaces", WhenFull::drop_newest, true},
                    Way{"BackpressureAtTheirPlaces", WhenFull::backpressure, true}),
    [](const auto& each) { return each.param.name; });

TEST(MixedBatch, IsCutNoFurtherThanADrainTakes) {
  FrameBuffer buffer(
      {}, [](DropReason, const FrameBatch&, std::uint64_t) {}, [](const Amount&) { return false; });
  FrameBatchBuilder builder;
  for (std::uint64_t number = 0; number < 12; ++number) {
    builder.append(test::header(static_cast<SatelliteId>(number % 2), 0, number), {});
  }
  buffer.add(builder.finish({}).value());
  const FrameBuffer::Taken taken = buffer.take(
      {.max_frames = 2, .satellite_id = SatelliteId{0}, .max_batches = 100, .keep_places = true});
  ASSERT_EQ(taken.batches.size(), 2U);
  EXPECT_EQ(taken.batches[0].place, 1U);
  EXPECT_EQ(taken.batches[1].place, 3U);
  const auto between = buffer.find_from(0);
  ASSERT_TRUE(between.has_value());
  EXPECT_EQ(between->place, 2U);
  EXPECT_EQ(between->batch->frames(), 1U);
  const auto rest = buffer.find_from(3);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->place, 4U);
  EXPECT_EQ(rest->batch->frames(), 9U) << "in one piece";
}

}  // namespace
}  // namespace meridian::test
