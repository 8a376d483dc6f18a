/// Saved states for tests, in memory.
#pragma once

#include "state/saved_reader.hpp"
#include "state/saved_writer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

namespace meridian::test {

inline constexpr std::uint32_t sample_nonce = 0xC0FFEE;

/// A frame with all that must come back of it.
struct SavedFrame {
  Octets octets;
  ReceiveTime received_at;
  SequenceWidth width;

  friend bool operator==(const SavedFrame&, const SavedFrame&) = default;
};

inline std::vector<SavedFrame> frames_in(const SavedState& saved) {
  std::vector<SavedFrame> frames;
  for (const auto& [place, batch] : saved.frames) {
    for (const FrameView frame : batch) {
      const auto offset = static_cast<std::size_t>(frame.octets.data() - batch.octets().data());
      frames.push_back({.octets = Octets(frame.octets.begin(), frame.octets.end()),
                        .received_at = batch.received_at(offset),
                        .width = batch.stamp().width});
    }
  }
  return frames;
}

inline ReceiveTime at_us(std::int64_t microseconds) {
  return ReceiveTime(std::chrono::microseconds(microseconds));
}

inline ReadStamp stamp_at(std::int64_t microseconds, SequenceWidth width = SequenceWidth::bits64) {
  return {.session = 3, .read = 4, .received_at = at_us(microseconds), .width = width};
}

inline Octets written(const SavedState& saved, std::uint32_t nonce = sample_nonce) {
  Octets octets;
  const std::error_code error =
      state::write_saved(saved, nonce, [&octets](std::span<const std::byte> more) {
        append(octets, more);
        return std::error_code{};
      });
  return error ? Octets{} : octets;
}

inline state::Restored read_back(const Octets& octets) {
  return state::read_saved(
      {.bytes = octets.size(), .read = [&octets](std::uint64_t offset, std::span<std::byte> out) {
         const std::size_t from = std::min<std::size_t>(offset, octets.size());
         const std::size_t bytes = std::min(out.size(), octets.size() - from);
         std::copy_n(octets.begin() + static_cast<std::ptrdiff_t>(from), bytes, out.begin());
         return state::ReadResult{.bytes = bytes};
       }});
}

/// Three batches of three origins, of both widths, with payloads of different lengths.
inline SavedState sample_state() {
  SavedState saved;
  saved.add(batch_of_run({1, 7}, 100, 3, 5, stamp_at(1'000'000)));
  saved.add(batch_of_run({2, 0}, 16'382, 2, 0, stamp_at(2'000'001, SequenceWidth::bits14)));
  const std::vector<FrameHeader> mixed{header(1, 7, 103), header(9, 9, 5, true)};
  saved.add(batch_of(mixed, 31, stamp_at(3'000'002)));
  saved.ledger =
      Ledger{.received = 30, .buffered = 7, .drained = 10, .flushed = 4, .dropped = {2, 3, 4, 0}};
  saved.origins = {
      {.origin = Origin{1, 7},
       .frames = 20,
       .bytes = 500,
       .last_sequence = 103,
       .gaps = 1,
       .missing = 2,
       .duplicates = 3,
       .late = 4,
       .dropped = 9,
       .last_seen_at = at_us(3'000'002)},
      {.origin = Origin{2, 0},
       .frames = 8,
       .bytes = 160,
       .last_sequence = 16'383,
       .last_seen_at = at_us(2'000'001)},
      {.origin = std::nullopt, .frames = 2, .bytes = 40, .last_sequence = std::nullopt}};
  return saved;
}

}  // namespace meridian::test
