/// The result of reading a stream back.
#pragma once

#include "sim/sequence_check.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::sim {

/// A malformed message.
struct BadMessage {
  std::uint64_t place = 0;  ///< its sequence in the stream
  std::string fault;
};

/// How many bad messages, and how many origins in trouble, the report lists one by one.
inline constexpr std::size_t most_told = 20;

struct ConsumeReport {
  std::uint64_t frames = 0;    ///< including repeated ones
  std::uint64_t distinct = 0;  ///< frames, each counted once
  std::uint64_t octets = 0;    ///< of the messages' payloads
  std::uint64_t messages = 0;  ///< each counted once, however often it was delivered
  std::uint64_t redelivered = 0;
  std::uint64_t malformed = 0;             ///< messages
  std::vector<BadMessage> bad_messages{};  ///< the first ones, at most `most_told`
  std::vector<OriginReport> origins{};
  std::optional<std::uint64_t> expected;  ///< frames, each counted once
  double seconds = 0;                     ///< from the first new message to the last
  std::string failure{};                  ///< why not everything could be read, or ""
};

/// Whether nothing is missing, repeated, out of order or malformed, everything could be read, and
/// all expected frames have come.
[[nodiscard]] bool all_well(const ConsumeReport& report);

/// The report as lines of text, and as JSON.
[[nodiscard]] std::string to_text(const ConsumeReport& report);
[[nodiscard]] std::string to_json(const ConsumeReport& report);

}  // namespace meridian::sim
