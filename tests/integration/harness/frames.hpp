/// The wire formats as the contract specifies them, octet by octet.
///
/// Uses nothing of the library, so that a test catches a wrong encoder or decoder.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

struct NativeFrame {
  std::uint32_t satellite_id = 0;
  std::uint16_t channel_id = 0;
  std::uint16_t flags = 0;
  std::uint64_t sequence = 0;
  std::string payload = {};

  bool operator==(const NativeFrame&) const = default;
};
void PrintTo(const NativeFrame& frame, std::ostream* out);

/// The octets of a frame before its payload, including the length field.
inline constexpr std::size_t native_header_bytes = 20;

[[nodiscard]] std::string encode(const NativeFrame& frame);
[[nodiscard]] std::string encode(const std::vector<NativeFrame>& frames);

/// `count` frames of a satellite, in order from sequence `first` on, with `payload_bytes` octets of
/// payload each.
[[nodiscard]] std::vector<NativeFrame> frames_of(std::uint32_t satellite_id, std::uint64_t first,
                                                 std::size_t count, std::size_t payload_bytes = 8);

/// Reads whole frames. Throws std::runtime_error if `octets` are anything else.
[[nodiscard]] std::vector<NativeFrame> decode_native(std::string_view octets);

/// Calls `on_frame` with the satellite, the sequence and the payload size of each frame. For loads
/// that are too large to keep.
template <typename OnFrame>
void for_each_native(std::string_view octets, OnFrame&& on_frame);

struct SpacePacket {
  std::uint16_t apid = 0;
  std::uint16_t count = 0;
  std::string data = "data";
  unsigned version = 0;
};
[[nodiscard]] std::string encode(const SpacePacket& packet);

/// The packets of a file, each with its header.
[[nodiscard]] std::vector<std::string> split_packets(std::string_view octets);

/// A big-endian number of `bytes` octets.
[[nodiscard]] std::uint64_t read_big(std::string_view octets, std::size_t at, std::size_t bytes);

/// Decodes base64. Throws std::runtime_error if the text is not base64 with padding.
[[nodiscard]] std::string decode_base64(std::string_view text);

/// Throws std::runtime_error that says what is wrong at which offset.
[[noreturn]] void refuse_octets(std::string_view why, std::size_t at);

template <typename OnFrame>
void for_each_native(std::string_view octets, OnFrame&& on_frame) {
  for (std::size_t at = 0; at < octets.size();) {
    if (octets.size() - at < native_header_bytes) {
      refuse_octets("a piece of a header", at);
    }
    const std::uint64_t length = read_big(octets, at, 4);
    if (length < 16 || octets.size() - at < 4 + length) {
      refuse_octets("a length that does not fit", at);
    }
    on_frame(static_cast<std::uint32_t>(read_big(octets, at + 4, 4)), read_big(octets, at + 12, 8),
             static_cast<std::size_t>(length - 16));
    at += 4 + length;
  }
}

}  // namespace meridian::test
