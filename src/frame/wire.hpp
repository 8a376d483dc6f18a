/// The native layout of meridian/frame.hpp, field by field. Inlined into the decoder's loop.
#pragma once

#include <meridian/frame.hpp>

#include <boost/endian/conversion.hpp>

#include <cstddef>
#include <cstdint>

namespace meridian::inline v2::frame::wire {

/// Octets of the length field, which does not count itself.
inline constexpr std::size_t length_field_bytes = 4;

/// Octets up to the end of the flags.
inline constexpr std::size_t flags_end = 12;

inline std::uint32_t load_u32(const std::byte* at) noexcept {
  return boost::endian::load_big_u32(reinterpret_cast<const unsigned char*>(at));
}
inline std::uint16_t load_u16(const std::byte* at) noexcept {
  return boost::endian::load_big_u16(reinterpret_cast<const unsigned char*>(at));
}
inline std::uint64_t load_u64(const std::byte* at) noexcept {
  return boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(at));
}

inline std::uint32_t frame_length(const std::byte* frame) noexcept {
  return load_u32(frame);
}
inline std::uint16_t frame_flags(const std::byte* frame) noexcept {
  return load_u16(frame + 10);
}
inline bool is_stored(const std::byte* frame) noexcept {
  return (frame_flags(frame) & frame_flag_stored) != 0;
}
inline std::uint64_t frame_sequence(const std::byte* frame) noexcept {
  return load_u64(frame + 12);
}
inline Origin frame_origin(const std::byte* frame) noexcept {
  return {.satellite_id = load_u32(frame + 4), .channel_id = load_u16(frame + 8)};
}

/// Octets of the whole frame, its length field included.
inline std::size_t frame_bytes(const std::byte* frame) noexcept {
  return length_field_bytes + frame_length(frame);
}

}  // namespace meridian::inline v2::frame::wire
