#include "state/bodies.hpp"
#include "state/mark.hpp"
#include "state/octets.hpp"
#include "state/times.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace meridian::state {

namespace {

void put_last(OctetWriter& out, std::optional<std::uint64_t> last) {
  out.put(static_cast<std::uint8_t>(last ? 1 : 0));
  out.put(last.value_or(0));
}

std::optional<std::uint64_t> get_last(OctetReader& in) {
  const bool has_last = in.get<std::uint8_t>() != 0;
  const auto last = in.get<std::uint64_t>();
  return has_last ? std::optional(last) : std::nullopt;
}

/// The counts that format 2 added. Rows of stored frames, which are as new, always have them.
template <typename Stats>
void put_counts(OctetWriter& out, const Stats& stats) {
  out.put(stats.jumps);
  out.put(stats.resets);
  out.put(stats.unsettled.next);
  out.put(stats.unsettled.late);
  out.put(stats.unsettled.jumps);
}

template <typename Stats>
void get_counts(OctetReader& in, Stats& stats) {
  stats.jumps = in.get<std::uint64_t>();
  stats.resets = in.get<std::uint64_t>();
  stats.unsettled.next = in.get<std::uint64_t>();
  stats.unsettled.late = in.get<std::uint64_t>();
  stats.unsettled.jumps = in.get<std::uint64_t>();
}

void put_stored(OctetWriter& out, const StoredStats& stored) {
  const SequenceStats& sequences = stored.sequences;
  out.put(stored.frames);
  put_time(out, stored.last_seen_at);
  put_last(out, sequences.last_sequence);
  out.put(sequences.gaps);
  out.put(sequences.missing);
  out.put(sequences.duplicates);
  out.put(sequences.late);
  put_counts(out, sequences);
}

StoredStats get_stored(OctetReader& in) {
  StoredStats stored;
  SequenceStats& sequences = stored.sequences;
  stored.frames = in.get<std::uint64_t>();
  stored.last_seen_at = get_time(in);
  sequences.last_sequence = get_last(in);
  sequences.gaps = in.get<std::uint64_t>();
  sequences.missing = in.get<std::uint64_t>();
  sequences.duplicates = in.get<std::uint64_t>();
  sequences.late = in.get<std::uint64_t>();
  get_counts(in, sequences);
  return stored;
}

// Bits of the kind of a row.
constexpr unsigned origin_bit = 1;
constexpr unsigned counts_bit = 2;
constexpr unsigned stored_bit = 4;

unsigned kind_of(const OriginStats& stats) {
  const bool has_counts = stats.jumps + stats.resets + stats.unsettled.frames() > 0;
  return (stats.origin ? origin_bit : 0U) | (has_counts ? counts_bit : 0U) |
         (stats.stored ? stored_bit : 0U);
}

void put_origin(OctetWriter& out, const OriginStats& stats) {
  const Origin origin = stats.origin.value_or(Origin{});
  const unsigned kind = kind_of(stats);
  out.put(static_cast<std::uint8_t>(kind));
  out.put(origin.satellite_id);
  out.put(origin.channel_id);
  out.put(stats.frames);
  out.put(stats.bytes);
  put_last(out, stats.last_sequence);
  out.put(stats.gaps);
  out.put(stats.missing);
  out.put(stats.duplicates);
  out.put(stats.late);
  out.put(stats.dropped);
  put_time(out, stats.last_seen_at);
  if ((kind & counts_bit) != 0) {
    put_counts(out, stats);
  }
  if ((kind & stored_bit) != 0) {
    put_stored(out, *stats.stored);
  }
}

OriginStats get_origin(OctetReader& in) {
  OriginStats stats;
  const unsigned kind = in.get<std::uint8_t>();
  const auto satellite_id = in.get<SatelliteId>();
  const auto channel_id = in.get<ChannelId>();
  if ((kind & origin_bit) != 0) {
    stats.origin = Origin{.satellite_id = satellite_id, .channel_id = channel_id};
  }
  stats.frames = in.get<std::uint64_t>();
  stats.bytes = in.get<std::uint64_t>();
  stats.last_sequence = get_last(in);
  stats.gaps = in.get<std::uint64_t>();
  stats.missing = in.get<std::uint64_t>();
  stats.duplicates = in.get<std::uint64_t>();
  stats.late = in.get<std::uint64_t>();
  stats.dropped = in.get<std::uint64_t>();
  stats.last_seen_at = get_time(in);
  if ((kind & counts_bit) != 0) {
    get_counts(in, stats);
  }
  if ((kind & stored_bit) != 0) {
    stats.stored = get_stored(in);
  }
  return stats;
}

// The rows of one mark always have room in it.
constexpr std::size_t counts_bytes = 40;
constexpr std::size_t stored_bytes = 57 + counts_bytes;
constexpr std::size_t most_origin_bytes = 80 + counts_bytes + stored_bytes;
static_assert(mark_head_bytes + sizeof(std::uint32_t) + origins_per_mark * most_origin_bytes <=
              max_mark_bytes);

}  // namespace

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

}  // namespace meridian::state
