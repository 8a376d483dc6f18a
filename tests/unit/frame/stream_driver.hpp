/// Feeds a decoder the way a session does.
#pragma once

#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <vector>

namespace meridian::test {

/// A frame that came out of a decoder, kept after its batch is gone.
struct SeenFrame {
  FrameHeader header;
  Octets payload;

  friend bool operator==(const SeenFrame&, const SeenFrame&) = default;
  friend void PrintTo(const SeenFrame& frame, std::ostream* out) {
    *out << "{satellite " << frame.header.origin.satellite_id << ", channel "
         << frame.header.origin.channel_id << ", sequence " << frame.header.sequence << ", "
         << frame.payload.size() << " octets}";
  }
};

/// What a stream gave, over all reads.
struct SeenStream {
  std::vector<SeenFrame> frames;
  std::uint64_t idle_packets = 0;
  std::uint64_t consumed = 0;  ///< the stream offset of the malformed unit, if there was one
  std::optional<Malformed> malformed;

  friend bool operator==(const SeenStream&, const SeenStream&) = default;
  friend void PrintTo(const SeenStream& seen, std::ostream* out) {
    *out << seen.frames.size() << " frames, " << seen.idle_packets << " idle, consumed "
         << seen.consumed << ", "
         << (seen.malformed ? name_of(*seen.malformed) : std::string_view("good"));
  }
};

inline std::vector<SeenFrame> frames_of(const FrameBatch& batch) {
  std::vector<SeenFrame> frames;
  for (const FrameView frame : batch) {
    frames.push_back({frame.header, Octets(frame.payload().begin(), frame.payload().end())});
  }
  return frames;
}

/// Shows the decoder one read after the other, each behind what it left of those before.
class StreamDriver {
 public:
  explicit StreamDriver(Decoder& decoder) : decoder_(decoder) {}

  /// False once the stream is malformed: then the session reads no more.
  bool read(std::span<const std::byte> octets) {
    append(rest_, octets);
    const ReadStamp stamp{.session = 1, .width = decoder_.sequence_width()};
    const Decoded found = decoder_.decode(in_slab(rest_), stamp);
    check(found);
    if (found.batch) {
      std::ranges::move(frames_of(*found.batch), std::back_inserter(seen_.frames));
    }
    seen_.idle_packets += found.idle_packets;
    seen_.consumed += found.consumed;
    seen_.malformed = found.malformed;
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(found.consumed));
    wanted_ = found.wanted;
    return !found.malformed.has_value();
  }

  [[nodiscard]] const SeenStream& seen() const { return seen_; }
  [[nodiscard]] std::size_t unconsumed() const { return rest_.size(); }

 private:
  /// What holds for each answer, whatever the stream.
  void check(const Decoded& found) const {
    ASSERT_LE(found.consumed, rest_.size());
    if (!found.malformed) {
      EXPECT_GT(found.wanted, rest_.size() - found.consumed) << "asks for what it has";
      EXPECT_LE(found.wanted, decoder_.max_unit_bytes()) << "asks for more than a unit";
    }
    if (rest_.size() < wanted_) {
      EXPECT_EQ(found.consumed, 0U) << "asked for more than it needed";
      EXPECT_FALSE(found.batch.has_value());
    }
    if (found.batch) {
      std::uint64_t frames = 0;
      std::uint64_t bytes = 0;
      found.batch->for_each_run([&](const Run& run) {
        frames += run.frames;
        bytes += run.bytes;
      });
      EXPECT_EQ(frames, found.batch->frames()) << "runs do not name all frames";
      EXPECT_EQ(bytes, found.batch->bytes());
      EXPECT_EQ(std::ranges::distance(*found.batch), std::ptrdiff_t{found.batch->frames()});
    }
  }

  Decoder& decoder_;
  Octets rest_;
  std::size_t wanted_ = 0;
  SeenStream seen_;
};

/// Feeds `stream`, cut at `cuts` (ascending offsets), and says what came out.
inline SeenStream feed(Decoder& decoder, std::span<const std::byte> stream,
                       std::span<const std::size_t> cuts = {}) {
  StreamDriver driver(decoder);
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    if (!driver.read(stream.subspan(from, cut - from))) {
      return driver.seen();
    }
    from = cut;
  }
  driver.read(stream.subspan(from));
  return driver.seen();
}

}  // namespace meridian::test
