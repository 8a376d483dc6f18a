/// Encodes and decodes the bodies of the marks of a saved state. The layouts are those of
/// state/mark.hpp.
#pragma once

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace meridian::state {

/// What a block's mark says about the frames that follow it.
struct BlockTable {
  struct Read {
    std::uint32_t first_frame = 0;  ///< index of its first frame
    ReceiveTime received_at{};
  };
  struct Frame {
    std::uint32_t bytes = 0;
    std::uint32_t checksum = 0;
  };
  SequenceWidth width = SequenceWidth::bits64;
  std::uint64_t place = 0;    ///< of the first frame; 0 if it is not known
  bool redelivered = false;   ///< FrameBatch::redelivered
  std::vector<Read> reads{};  ///< in the order of their frames, the first one at index 0
  std::vector<Frame> frames{};
  std::uint64_t bytes = 0;  ///< of all frames
};

/// A consumer's position. A large one is written in several parts, each with some of its ranges and
/// attempts.
struct ConsumerPart {
  SavedConsumer consumer;
  std::uint16_t part = 0;  ///< from 0 up
  std::uint16_t parts = 1;
};

/// Which program wrote a file, and in which format.
struct FormatVersion {
  std::uint16_t format = 0;
  std::string program{};  ///< such as "0.2.0"; "" if only the format is known
};

using Body = std::vector<std::byte>;

[[nodiscard]] Body encode(const FormatVersion& version);

[[nodiscard]] Body encode(const Ledger& ledger);
[[nodiscard]] Body encode(std::span<const OriginStats> origins);
/// Encodes positions without their consumers.
[[nodiscard]] Body encode(const SavedPositions& positions);
[[nodiscard]] Body encode(const ConsumerPart& part);
[[nodiscard]] Body encode(const BlockTable& table);
[[nodiscard]] Body encode_end(std::uint64_t frames);

/// Divides a position into parts of at most `max_bytes` each, when they are encoded. Empty if that
/// is impossible: a single attempt is larger, or there would be too many parts.
[[nodiscard]] std::vector<ConsumerPart> divide(const SavedConsumer& consumer,
                                               std::size_t max_bytes);

// Each of these returns nothing for octets that no encoder makes.
/// Of a format newer than `format_version`, only the number must be readable.
[[nodiscard]] std::optional<FormatVersion> decode_version(std::span<const std::byte> body);
[[nodiscard]] std::optional<Ledger> decode_ledger(std::span<const std::byte> body);
[[nodiscard]] std::optional<std::vector<OriginStats>> decode_origins(
    std::span<const std::byte> body);
[[nodiscard]] std::optional<SavedPositions> decode_places(std::span<const std::byte> body);
/// `older_epoch` is the epoch of attempts that an older program wrote, without an epoch of their
/// own.
[[nodiscard]] std::optional<ConsumerPart> decode_consumer(std::span<const std::byte> body,
                                                          std::uint64_t older_epoch);
[[nodiscard]] std::optional<BlockTable> decode_block(std::span<const std::byte> body);
[[nodiscard]] std::optional<std::uint64_t> decode_end(std::span<const std::byte> body);

}  // namespace meridian::state
