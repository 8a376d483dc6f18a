// A saved state, whatever has become of it: what comes back is whole, and saving it again and
// reading that gives the same.
#include "frame/wire.hpp"
#include "state/checksum.hpp"
#include "state/mark.hpp"
#include "state/saved_reader.hpp"
#include "state/saved_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <system_error>
#include <vector>

namespace {

using namespace meridian;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

state::Restored read(std::span<const std::byte> octets) {
  return state::read_saved(
      {.bytes = octets.size(), .read = [octets](std::uint64_t offset, std::span<std::byte> out) {
         const std::span<const std::byte> there =
             octets.subspan(std::min<std::size_t>(offset, octets.size()));
         const std::size_t bytes = std::min(out.size(), there.size());
         std::copy_n(there.begin(), bytes, out.begin());
         return state::ReadResult{.bytes = bytes};
       }});
}

std::uint64_t check_frames(const SavedState& saved) {
  std::uint64_t frames = 0;
  for (const auto& [place, batch] : saved.frames) {
    std::uint64_t walked = 0;
    for (const FrameView frame : batch) {
      require(frame.octets.size() >= frame_header_bytes);
      require((frame::wire::frame_flags(frame.octets.data()) & ~frame_flag_stored) == 0);
      ++walked;
    }
    std::uint64_t in_runs = 0;
    batch.for_each_run([&](const Run& run) { in_runs += run.frames; });
    require(walked == batch.frames() && in_runs == walked);
    frames += walked;
  }
  return frames;
}

/// What has marks whose checksums hold, so that what they say is looked at too.
std::vector<std::byte> with_right_checksums(std::span<const std::byte> octets) {
  std::vector<std::byte> repaired(octets.begin(), octets.end());
  for (std::size_t at = 0; at < repaired.size(); ++at) {
    const std::span<std::byte> rest = std::span(repaired).subspan(at);
    const std::size_t bytes = state::mark_bytes(rest);
    if (bytes != 0 && bytes <= rest.size()) {
      const std::uint32_t checksum =
          state::crc32c(rest.first(bytes).subspan(state::mark_head_bytes),
                        state::crc32c(rest.first(frame_header_bytes)));
      boost::endian::store_big_u32(
          reinterpret_cast<unsigned char*>(rest.data() + frame_header_bytes), checksum);
    }
  }
  return repaired;
}

void check(std::span<const std::byte> octets) {
  const state::Restored restored = read(octets);
  require(check_frames(restored.saved) == restored.frames);
  std::uint64_t behind = 0;
  for (const state::Region& region : restored.damaged) {
    require(region.bytes > 0 && region.offset >= behind &&
            region.offset + region.bytes <= octets.size());
    behind = region.offset + region.bytes;
  }

  std::vector<std::byte> again;
  const std::error_code error =
      state::write_saved(restored.saved, 1, [&again](std::span<const std::byte> octets) {
        again.insert(again.end(), octets.begin(), octets.end());
        return std::error_code{};
      });
  require(!error);
  const state::Restored same = read(again);
  require(same.is_whole && same.frames == restored.frames &&
          same.saved.origins.size() == restored.saved.origins.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> octets = std::as_bytes(std::span(data, size));
  check(octets);
  check(with_right_checksums(octets));
  return 0;
}
