#include "integration/harness/frames.hpp"

#include <fmt/format.h>

#include <ostream>
#include <stdexcept>

namespace meridian::test {

namespace {

void append_big(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xFF);
  }
}

}  // namespace

void PrintTo(const NativeFrame& frame, std::ostream* out) {
  *out << fmt::format("satellite {} channel {} flags {} sequence {}, {} octets", frame.satellite_id,
                      frame.channel_id, frame.flags, frame.sequence, frame.payload.size());
}

void refuse_octets(std::string_view why, std::size_t at) {
  throw std::runtime_error(fmt::format("not native frames: {} at octet {}", why, at));
}

std::uint64_t read_big(std::string_view octets, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (const char octet : octets.substr(at, bytes)) {
    value = value << 8 | static_cast<unsigned char>(octet);
  }
  return value;
}

std::string encode(const NativeFrame& frame) {
  std::string out;
  append_big(out, 16 + frame.payload.size(), 4);
  append_big(out, frame.satellite_id, 4);
  append_big(out, frame.channel_id, 2);
  append_big(out, frame.flags, 2);
  append_big(out, frame.sequence, 8);
  return out + frame.payload;
}

std::string encode(const std::vector<NativeFrame>& frames) {
  std::string out;
  for (const NativeFrame& frame : frames) {
    out += encode(frame);
  }
  return out;
}

std::vector<NativeFrame> frames_of(std::uint32_t satellite_id, std::uint64_t first,
                                   std::size_t count, std::size_t payload_bytes) {
  std::vector<NativeFrame> frames;
  for (std::uint64_t sequence = first; sequence < first + count; ++sequence) {
    std::string payload = fmt::format("{}:{};", satellite_id, sequence);
    payload.resize(payload_bytes, static_cast<char>(sequence & 0xFF));
    frames.push_back(
        {.satellite_id = satellite_id, .sequence = sequence, .payload = std::move(payload)});
  }
  return frames;
}

std::vector<NativeFrame> decode_native(std::string_view octets) {
  std::vector<NativeFrame> frames;
  std::size_t at = 0;
  for_each_native(octets, [&](std::uint32_t satellite, std::uint64_t sequence, std::size_t bytes) {
    frames.push_back({.satellite_id = satellite,
                      .channel_id = static_cast<std::uint16_t>(read_big(octets, at + 8, 2)),
                      .flags = static_cast<std::uint16_t>(read_big(octets, at + 10, 2)),
                      .sequence = sequence,
                      .payload = std::string(octets.substr(at + native_header_bytes, bytes))});
    at += native_header_bytes + bytes;
  });
  return frames;
}

std::string encode(const SpacePacket& packet) {
  std::string out;
  append_big(out, packet.version << 13 | packet.apid, 2);
  append_big(out, 0xC000U | packet.count, 2);  // sequence flags: not segmented
  append_big(out, packet.data.size() - 1, 2);
  return out + packet.data;
}

std::vector<std::string> split_packets(std::string_view octets) {
  std::vector<std::string> packets;
  for (std::size_t at = 0; at < octets.size();) {
    const std::size_t bytes = 7 + read_big(octets, at + 4, 2);
    packets.emplace_back(octets.substr(at, bytes));
    at += bytes;
  }
  return packets;
}

std::string decode_base64(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t padding =
      text.ends_with("==") ? 2 : static_cast<std::size_t>(text.ends_with('='));
  std::string out;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char digit : text.substr(0, text.size() - padding)) {
    const std::size_t value = alphabet.find(digit);
    if (value == std::string_view::npos) {
      throw std::runtime_error("not base64: " + std::string(text));
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xFF);
    }
  }
  if (text.size() % 4 != 0) {
    throw std::runtime_error("not padded base64: " + std::string(text));
  }
  return out;
}

}  // namespace meridian::test
