#include "state/bodies.hpp"

#include "state/octets.hpp"

#include <chrono>
#include <utility>

namespace meridian::state {

namespace {

constexpr std::uint64_t read_entry_bytes = 12;
constexpr std::uint64_t frame_entry_bytes = 8;

/// Stands beside the width, in the same octet.
constexpr std::uint8_t redelivered_bit = 0x80;

void put_time(OctetWriter& out, ReceiveTime time) {
  out.put(std::int64_t{time.time_since_epoch().count()});
}

ReceiveTime get_time(OctetReader& in) {
  return ReceiveTime(std::chrono::microseconds(in.get<std::int64_t>()));
}

std::optional<SequenceWidth> width_from(std::uint8_t bits) {
  for (const SequenceWidth width : {SequenceWidth::bits14, SequenceWidth::bits64}) {
    if (bits == static_cast<std::uint8_t>(width)) {
      return width;
    }
  }
  return std::nullopt;
}

void put_origin(OctetWriter& out, const OriginStats& stats) {
  const Origin origin = stats.origin.value_or(Origin{});
  out.put(static_cast<std::uint8_t>(stats.origin ? 1 : 0));
  out.put(origin.satellite_id);
  out.put(origin.channel_id);
  out.put(stats.frames);
  out.put(stats.bytes);
  out.put(static_cast<std::uint8_t>(stats.last_sequence ? 1 : 0));
  out.put(stats.last_sequence.value_or(0));
  out.put(stats.gaps);
  out.put(stats.missing);
  out.put(stats.duplicates);
  out.put(stats.late);
  out.put(stats.dropped);
  put_time(out, stats.last_seen_at);
}

OriginStats get_origin(OctetReader& in) {
  OriginStats stats;
  const bool is_origin = in.get<std::uint8_t>() != 0;
  const auto satellite_id = in.get<SatelliteId>();
  const auto channel_id = in.get<ChannelId>();
  if (is_origin) {
    stats.origin = Origin{.satellite_id = satellite_id, .channel_id = channel_id};
  }
  stats.frames = in.get<std::uint64_t>();
  stats.bytes = in.get<std::uint64_t>();
  const bool has_last = in.get<std::uint8_t>() != 0;
  const auto last = in.get<std::uint64_t>();
  if (has_last) {
    stats.last_sequence = last;
  }
  stats.gaps = in.get<std::uint64_t>();
  stats.missing = in.get<std::uint64_t>();
  stats.duplicates = in.get<std::uint64_t>();
  stats.late = in.get<std::uint64_t>();
  stats.dropped = in.get<std::uint64_t>();
  stats.last_seen_at = get_time(in);
  return stats;
}

}  // namespace

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
    return std::nullopt;  // of a version that knows more
  }
  for (std::size_t i = 0; i < reasons; ++i) {
    ledger.dropped.at(i) = in.get<std::uint64_t>();
  }
  return in.complete() ? std::optional(ledger) : std::nullopt;
}

Body encode(std::span<const OriginStats> origins) {
  OctetWriter out;
  out.put(static_cast<std::uint32_t>(origins.size()));
  for (const OriginStats& stats : origins) {
    put_origin(out, stats);
  }
  return std::move(out).octets();
}

std::optional<std::vector<OriginStats>> decode_origins(std::span<const std::byte> body) {
  OctetReader in(body);
  const auto count = in.get<std::uint32_t>();
  std::vector<OriginStats> origins;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    origins.push_back(get_origin(in));
  }
  return in.complete() ? std::optional(std::move(origins)) : std::nullopt;
}

Body encode(const BlockTable& table) {
  OctetWriter out;
  const auto width = static_cast<std::uint8_t>(table.width);
  out.put(static_cast<std::uint8_t>(table.redelivered ? width | redelivered_bit : width));
  out.put(static_cast<std::uint32_t>(table.reads.size()));
  out.put(static_cast<std::uint32_t>(table.frames.size()));
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
  const auto width_and_mark = in.get<std::uint8_t>();
  const auto width = width_from(static_cast<std::uint8_t>(width_and_mark & ~redelivered_bit));
  const auto reads = in.get<std::uint32_t>();
  const auto frames = in.get<std::uint32_t>();
  const bool fits = in.left() == reads * read_entry_bytes + frames * frame_entry_bytes;
  if (!width || !fits || reads == 0 || frames == 0) {
    return std::nullopt;
  }
  table.width = *width;
  table.redelivered = (width_and_mark & redelivered_bit) != 0;
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
