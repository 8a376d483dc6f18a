#include "sim/stored_message.hpp"

#include "frame/native_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

namespace meridian::sim {

namespace {

using Header = StoredMessage::Header;

/// A decoder that refuses no length: the server decides what may be stored.
frame::NativeDecoder any_length_decoder() {
  return frame::NativeDecoder(std::numeric_limits<std::uint32_t>::max() - frame_length_overhead);
}

std::string payload_fault(const Decoded& decoded, std::size_t bytes) {
  if (decoded.malformed) {
    return fmt::format("no frame at octet {}: {}", decoded.consumed, name_of(*decoded.malformed));
  }
  if (decoded.consumed < bytes) {
    return fmt::format("no whole frame at octet {} of {}", decoded.consumed, bytes);
  }
  return decoded.batch ? "" : "no frames";
}

std::string number_fault(const char* name, const Header& header, std::uint64_t expected) {
  if (!header) {
    return fmt::format("no {}", name);
  }
  std::uint64_t value = 0;
  const char* const begin = std::to_address(header->begin());
  const char* const end = std::to_address(header->end());
  const auto parsed = std::from_chars(begin, end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return fmt::format("{} is not a number", name);
  }
  return value == expected
             ? ""
             : fmt::format("{} is {}, not {} as its frames say", name, value, expected);
}

std::string time_fault(const char* name, const Header& header) {
  if (!header) {
    return fmt::format("no {}", name);
  }
  constexpr std::string_view shape = "0000-00-00T00:00:00.000000Z";
  const bool fits = std::ranges::equal(*header, shape, [](char given, char wanted) {
    return wanted == '0' ? given >= '0' && given <= '9' : given == wanted;
  });
  return fits ? "" : fmt::format("{} is not a UTC time with microseconds", name);
}

/// What is wrong with a message whose payload consists of whole frames, or "".
std::string find_fault(const StoredMessage& message, const Inspected& found) {
  const Run& first = found.runs.front();
  const Run& last = found.runs.back();
  if (std::ranges::any_of(found.runs, [&](const Run& run) { return run.origin != first.origin; })) {
    return "frames of several satellites or channels";
  }
  if (!message.id || message.id->empty()) {
    return fmt::format("no {}", id_header);
  }
  std::array<std::string, 5> faults{
      number_fault(frames_header, message.frames, found.frames),
      number_fault(first_sequence_header, message.first_sequence, first.first),
      number_fault(last_sequence_header, message.last_sequence, last.first + last.frames - 1),
      time_fault(first_received_at_header, message.first_received_at),
      time_fault(last_received_at_header, message.last_received_at)};
  const auto worst = std::ranges::find_if(faults, [](const auto& fault) { return !fault.empty(); });
  return worst == faults.end() ? "" : std::move(*worst);
}

}  // namespace

Inspected inspect(const StoredMessage& message) {
  // The slab does not own the octets: the caller keeps them for as long as the batch exists.
  const SlabRange stream{.slab = Slab(Slab(), message.payload.data()),
                         .slab_bytes = message.payload.size(),
                         .octets = message.payload};
  frame::NativeDecoder decoder = any_length_decoder();
  const Decoded decoded = decoder.decode(stream, {});
  Inspected found;
  found.fault = payload_fault(decoded, message.payload.size());
  if (found.fault.empty()) {
    found.frames = decoded.batch->frames();
    found.runs = decoded.batch->find_runs();
    found.fault = find_fault(message, found);
  }
  return found;
}

}  // namespace meridian::sim
