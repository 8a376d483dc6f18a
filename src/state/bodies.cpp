#include "state/bodies.hpp"

#include "state/mark.hpp"
#include "state/octets.hpp"
#include "state/times.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace meridian::state {

namespace {

constexpr std::uint64_t read_entry_bytes = 12;
constexpr std::uint64_t frame_entry_bytes = 8;

// These bits share an octet with the width.
constexpr std::uint8_t redelivered_bit = 0x80;
constexpr std::uint8_t place_bit = 0x20;

std::optional<SequenceWidth> width_from(std::uint8_t bits) {
  for (const SequenceWidth width : {SequenceWidth::bits14, SequenceWidth::bits64}) {
    if (bits == static_cast<std::uint8_t>(width)) {
      return width;
    }
  }
  return std::nullopt;
}

/// Encoded sizes of a range, and of an attempt with its epoch but without its ranges.
constexpr std::size_t range_bytes = 16;
constexpr std::size_t attempt_head_bytes = 26;

void put_ranges(OctetWriter& out, const std::vector<PlaceRange>& ranges) {
  out.put(static_cast<std::uint32_t>(ranges.size()));
  for (const PlaceRange& range : ranges) {
    out.put(range.first);
    out.put(range.frames);
  }
}

std::vector<PlaceRange> get_ranges(OctetReader& in) {
  const auto count = in.get<std::uint32_t>();
  std::vector<PlaceRange> ranges;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto first = in.get<std::uint64_t>();
    ranges.push_back({.first = first, .frames = in.get<std::uint64_t>()});
  }
  return ranges;
}

void put_attempt(OctetWriter& out, const Attempt& attempt) {
  out.put(attempt.origin.satellite_id);
  out.put(attempt.origin.channel_id);
  out.put(attempt.frames);
  put_ranges(out, attempt.ranges);
}

Attempt get_attempt(OctetReader& in) {
  Attempt attempt;
  attempt.origin.satellite_id = in.get<SatelliteId>();
  attempt.origin.channel_id = in.get<ChannelId>();
  attempt.frames = in.get<std::uint64_t>();
  attempt.ranges = get_ranges(in);
  return attempt;
}

/// Whether this can be a range of places. Then arithmetic with it does not overflow.
bool is_sound(const PlaceRange& range) {
  return range.first > 0 && range.frames > 0 && range.end() > range.first;
}

bool is_sound(const SavedConsumer& consumer) {
  const auto sound = [](const PlaceRange& range) { return is_sound(range); };
  return std::ranges::all_of(consumer.unread, sound) &&
         std::ranges::all_of(consumer.attempts, [&](const Attempt& attempt) {
           return std::ranges::all_of(attempt.ranges, sound);
         });
}

}  // namespace

Body encode(const FormatVersion& version) {
  OctetWriter out;
  out.put(version.format);
  out.put(static_cast<std::uint16_t>(version.program.size()));
  out.put(std::as_bytes(std::span(version.program)));
  return std::move(out).octets();
}

std::optional<FormatVersion> decode_version(std::span<const std::byte> body) {
  OctetReader in(body);
  FormatVersion version{.format = in.get<std::uint16_t>()};
  if (!in.ok() || version.format == 0) {
    return std::nullopt;
  }
  const std::span<const std::byte> program = in.take(in.get<std::uint16_t>());
  // The text is shown to users, but may come from a damaged disk or from a stranger.
  const bool is_printable = std::ranges::all_of(
      program, [](std::byte octet) { return octet > std::byte{' '} && octet <= std::byte{'~'}; });
  if (in.complete() && is_printable) {
    version.program.assign(reinterpret_cast<const char*>(program.data()), program.size());
  }
  const bool understood = in.complete() || version.format > format_version;
  return understood ? std::optional(std::move(version)) : std::nullopt;
}

Body encode(const SavedPositions& positions) {
  OctetWriter out;
  out.put(positions.epoch);
  out.put(positions.next_place);
  return std::move(out).octets();
}

std::optional<SavedPositions> decode_places(std::span<const std::byte> body) {
  OctetReader in(body);
  SavedPositions positions;
  positions.epoch = in.get<std::uint64_t>();
  positions.next_place = in.get<std::uint64_t>();
  return in.complete() ? std::optional(std::move(positions)) : std::nullopt;
}

Body encode(const ConsumerPart& part) {
  const SavedConsumer& consumer = part.consumer;
  OctetWriter out;
  out.put(static_cast<std::uint16_t>(consumer.name.size()));
  out.put(std::as_bytes(std::span(consumer.name)));
  out.put(consumer.next_place);
  out.put(part.part);
  out.put(part.parts);
  put_ranges(out, consumer.unread);
  out.put(static_cast<std::uint32_t>(consumer.attempts.size()));
  for (const Attempt& attempt : consumer.attempts) {
    put_attempt(out, attempt);
  }
  for (const Attempt& attempt : consumer.attempts) {
    out.put(attempt.epoch);
  }
  return std::move(out).octets();
}

std::optional<ConsumerPart> decode_consumer(std::span<const std::byte> body,
                                            std::uint64_t older_epoch) {
  OctetReader in(body);
  ConsumerPart part;
  SavedConsumer& consumer = part.consumer;
  const std::span<const std::byte> name = in.take(in.get<std::uint16_t>());
  consumer.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  consumer.next_place = in.get<std::uint64_t>();
  part.part = in.get<std::uint16_t>();
  part.parts = in.get<std::uint16_t>();
  consumer.unread = get_ranges(in);
  const auto attempts = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < attempts && in.ok(); ++i) {
    consumer.attempts.push_back(get_attempt(in));
  }
  const bool has_epochs = in.left() > 0;
  for (Attempt& attempt : consumer.attempts) {
    attempt.epoch = has_epochs ? in.get<std::uint64_t>() : older_epoch;
  }
  const bool sound = in.complete() && part.part < part.parts && is_sound(consumer);
  return sound ? std::optional(std::move(part)) : std::nullopt;
}

std::vector<ConsumerPart> divide(const SavedConsumer& consumer, std::size_t max_bytes) {
  const SavedConsumer bare{
      .name = consumer.name, .next_place = consumer.next_place, .unread = {}, .attempts = {}};
  const std::size_t head_bytes = encode(ConsumerPart{.consumer = bare}).size();
  std::vector<ConsumerPart> parts{{.consumer = bare}};
  std::size_t bytes = head_bytes;
  const auto part_with_room_for = [&](std::size_t more) -> SavedConsumer& {
    if (bytes + more > max_bytes) {
      parts.push_back({.consumer = bare});
      bytes = head_bytes;
    }
    bytes += more;
    return parts.back().consumer;
  };
  for (const PlaceRange& range : consumer.unread) {
    part_with_room_for(range_bytes).unread.push_back(range);
  }
  for (const Attempt& attempt : consumer.attempts) {
    const std::size_t attempt_bytes = attempt_head_bytes + attempt.ranges.size() * range_bytes;
    if (head_bytes + attempt_bytes > max_bytes) {
      return {};
    }
    part_with_room_for(attempt_bytes).attempts.push_back(attempt);
  }
  if (parts.size() > std::numeric_limits<std::uint16_t>::max()) {
    return {};
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].part = static_cast<std::uint16_t>(i);
    parts[i].parts = static_cast<std::uint16_t>(parts.size());
  }
  return parts;
}

Body encode(const Ledger& ledger) {
  OctetWriter out;
  out.put(ledger.received);
  out.put(ledger.buffered);
  out.put(ledger.drained);
  out.put(ledger.flushed);
  out.put(static_cast<std::uint16_t>(ledger.dropped.size()));
  for (const std::uint64_t frames : ledger.dropped) {
    out.put(frames);
  }
  out.put(ledger.delivered);
  return std::move(out).octets();
}

std::optional<Ledger> decode_ledger(std::span<const std::byte> body) {
  OctetReader in(body);
  Ledger ledger;
  ledger.received = in.get<std::uint64_t>();
  ledger.buffered = in.get<std::uint64_t>();
  ledger.drained = in.get<std::uint64_t>();
  ledger.flushed = in.get<std::uint64_t>();
  const auto reasons = in.get<std::uint16_t>();
  if (reasons > ledger.dropped.size()) {
    return std::nullopt;  // from a version that knows more reasons
  }
  for (std::size_t i = 0; i < reasons; ++i) {
    ledger.dropped.at(i) = in.get<std::uint64_t>();
  }
  if (in.left() > 0) {
    ledger.delivered = in.get<std::uint64_t>();
  }
  return in.complete() ? std::optional(ledger) : std::nullopt;
}

Body encode(const BlockTable& table) {
  OctetWriter out;
  out.put(static_cast<std::uint8_t>(static_cast<unsigned>(table.width) |
                                    (table.redelivered ? redelivered_bit : 0U) |
                                    (table.place != 0 ? place_bit : 0U)));
  out.put(static_cast<std::uint32_t>(table.reads.size()));
  out.put(static_cast<std::uint32_t>(table.frames.size()));
  if (table.place != 0) {
    out.put(table.place);
  }
  for (const BlockTable::Read& read : table.reads) {
    out.put(read.first_frame);
    put_time(out, read.received_at);
  }
  for (const BlockTable::Frame& frame : table.frames) {
    out.put(frame.bytes);
    out.put(frame.checksum);
  }
  return std::move(out).octets();
}

std::optional<BlockTable> decode_block(std::span<const std::byte> body) {
  OctetReader in(body);
  BlockTable table;
  const auto marks = in.get<std::uint8_t>();
  const auto width = width_from(static_cast<std::uint8_t>(marks & ~(redelivered_bit | place_bit)));
  const auto reads = in.get<std::uint32_t>();
  const auto frames = in.get<std::uint32_t>();
  if ((marks & place_bit) != 0) {
    table.place = in.get<std::uint64_t>();
  }
  const bool fits = in.left() == reads * read_entry_bytes + frames * frame_entry_bytes;
  if (!width || !fits || reads == 0 || frames == 0) {
    return std::nullopt;
  }
  table.width = *width;
  table.redelivered = (marks & redelivered_bit) != 0;
  for (std::uint32_t i = 0; i < reads; ++i) {
    const auto first = in.get<std::uint32_t>();
    const bool in_order = i == 0 ? first == 0 : first > table.reads.back().first_frame;
    if (!in_order || first >= frames) {
      return std::nullopt;
    }
    table.reads.push_back({first, get_time(in)});
  }
  for (std::uint32_t i = 0; i < frames; ++i) {
    const auto bytes = in.get<std::uint32_t>();
    if (bytes < frame_header_bytes) {
      return std::nullopt;
    }
    table.frames.push_back({bytes, in.get<std::uint32_t>()});
    table.bytes += bytes;
  }
  return table;
}

Body encode_end(std::uint64_t frames) {
  OctetWriter out;
  out.put(frames);
  return std::move(out).octets();
}

std::optional<std::uint64_t> decode_end(std::span<const std::byte> body) {
  OctetReader in(body);
  const auto frames = in.get<std::uint64_t>();
  return in.complete() ? std::optional(frames) : std::nullopt;
}

}  // namespace meridian::state
