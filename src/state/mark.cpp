#include "state/mark.hpp"

#include "frame/wire.hpp"
#include "state/checksum.hpp"
#include "state/octets.hpp"

#include <algorithm>
#include <cassert>

namespace meridian::state {

namespace {

constexpr std::size_t flags_offset = 10;

std::uint32_t checksum_of(std::span<const std::byte> mark) noexcept {
  return crc32c(mark.subspan(mark_head_bytes), crc32c(mark.first(frame_header_bytes)));
}

}  // namespace

std::vector<std::byte> encode_mark(MarkKind kind, std::uint64_t sequence,
                                   std::span<const std::byte> body) {
  assert(mark_head_bytes + body.size() <= max_mark_bytes);
  std::vector<std::byte> mark(mark_head_bytes + body.size());
  const FrameHeader header{
      .origin = {.satellite_id = mark_magic, .channel_id = static_cast<ChannelId>(kind)},
      .sequence = sequence};
  write_frame_header(header, mark.size() - frame_header_bytes,
                     std::span(mark).first<frame_header_bytes>());
  auto* const octets = reinterpret_cast<unsigned char*>(mark.data());
  boost::endian::store_big_u16(octets + flags_offset, mark_flags);
  std::ranges::copy(body, mark.begin() + mark_head_bytes);
  boost::endian::store_big_u32(octets + frame_header_bytes, checksum_of(mark));
  return mark;
}

std::size_t mark_bytes(std::span<const std::byte> octets) noexcept {
  if (octets.size() < frame_header_bytes ||
      frame::wire::frame_origin(octets.data()).satellite_id != mark_magic ||
      frame::wire::frame_flags(octets.data()) != mark_flags) {
    return 0;
  }
  const std::size_t bytes = frame::wire::frame_bytes(octets.data());
  return bytes >= mark_head_bytes && bytes <= max_mark_bytes ? bytes : 0;
}

std::optional<Mark> read_mark(std::span<const std::byte> octets) noexcept {
  const std::size_t bytes = mark_bytes(octets);
  if (bytes == 0 || bytes > octets.size()) {
    return std::nullopt;
  }
  const std::span<const std::byte> mark = octets.first(bytes);
  if (frame::wire::load_u32(mark.data() + frame_header_bytes) != checksum_of(mark)) {
    return std::nullopt;
  }
  return Mark{.kind = MarkKind{frame::wire::frame_origin(mark.data()).channel_id},
              .sequence = frame::wire::frame_sequence(mark.data()),
              .body = mark.subspan(mark_head_bytes)};
}

}  // namespace meridian::state
