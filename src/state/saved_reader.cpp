#include "state/saved_reader.hpp"

#include "frame/run_builder.hpp"
#include "frame/wire.hpp"
#include "state/checksum.hpp"
#include "state/mark.hpp"
#include "state/octets.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace meridian::state {

namespace {

/// The table in front of a block's frames.
struct BlockTable {
  struct Read {
    std::uint32_t first_frame = 0;
    ReceiveTime received_at{};
  };
  struct Frame {
    std::uint32_t bytes = 0;
    std::uint32_t checksum = 0;
  };
  SequenceWidth width = SequenceWidth::bits64;
  std::vector<Read> reads;
  std::vector<Frame> frames;
  std::uint64_t bytes = 0;  // of all frames
};

std::optional<SequenceWidth> width_from(std::uint8_t bits) {
  for (const SequenceWidth width : {SequenceWidth::bits14, SequenceWidth::bits64}) {
    if (bits == static_cast<std::uint8_t>(width)) {
      return width;
    }
  }
  return std::nullopt;
}

ReceiveTime get_time(OctetReader& body) {
  return ReceiveTime(std::chrono::microseconds(body.get<std::int64_t>()));
}

std::optional<BlockTable> read_block_table(std::span<const std::byte> octets) {
  OctetReader body(octets);
  BlockTable table;
  const auto width = width_from(body.get<std::uint8_t>());
  const auto reads = body.get<std::uint32_t>();
  const auto frames = body.get<std::uint32_t>();
  constexpr std::size_t read_bytes = 12;
  constexpr std::size_t frame_bytes = 8;
  const bool fits =
      body.left() == reads * std::uint64_t{read_bytes} + frames * std::uint64_t{frame_bytes};
  if (!width || !fits || reads == 0 || frames == 0) {
    return std::nullopt;
  }
  table.width = *width;
  for (std::uint32_t i = 0; i < reads; ++i) {
    const auto first = body.get<std::uint32_t>();
    const bool in_order = i == 0 ? first == 0 : first > table.reads.back().first_frame;
    if (!in_order || first >= frames) {
      return std::nullopt;
    }
    table.reads.push_back({first, get_time(body)});
  }
  for (std::uint32_t i = 0; i < frames; ++i) {
    const auto bytes = body.get<std::uint32_t>();
    if (bytes < frame_header_bytes) {
      return std::nullopt;
    }
    table.frames.push_back({bytes, body.get<std::uint32_t>()});
    table.bytes += bytes;
  }
  return table;
}

std::optional<Ledger> read_ledger(std::span<const std::byte> octets) {
  OctetReader body(octets);
  Ledger ledger;
  ledger.received = body.get<std::uint64_t>();
  ledger.buffered = body.get<std::uint64_t>();
  ledger.drained = body.get<std::uint64_t>();
  ledger.flushed = body.get<std::uint64_t>();
  const auto reasons = body.get<std::uint16_t>();
  if (reasons > ledger.dropped.size()) {
    return std::nullopt;  // of a version that knows more
  }
  for (std::size_t i = 0; i < reasons; ++i) {
    ledger.dropped.at(i) = body.get<std::uint64_t>();
  }
  return body.complete() ? std::optional(ledger) : std::nullopt;
}

std::optional<std::vector<OriginStats>> read_origins(std::span<const std::byte> octets) {
  OctetReader body(octets);
  const auto count = body.get<std::uint32_t>();
  std::vector<OriginStats> origins;
  for (std::uint32_t i = 0; i < count && body.ok(); ++i) {
    OriginStats stats;
    const bool is_origin = body.get<std::uint8_t>() != 0;
    const auto satellite_id = body.get<SatelliteId>();
    const auto channel_id = body.get<ChannelId>();
    if (is_origin) {
      stats.origin = Origin{.satellite_id = satellite_id, .channel_id = channel_id};
    }
    stats.frames = body.get<std::uint64_t>();
    stats.bytes = body.get<std::uint64_t>();
    const bool has_last = body.get<std::uint8_t>() != 0;
    const auto last = body.get<std::uint64_t>();
    if (has_last) {
      stats.last_sequence = last;
    }
    stats.gaps = body.get<std::uint64_t>();
    stats.missing = body.get<std::uint64_t>();
    stats.duplicates = body.get<std::uint64_t>();
    stats.late = body.get<std::uint64_t>();
    stats.dropped = body.get<std::uint64_t>();
    stats.last_seen_at = get_time(body);
    origins.push_back(stats);
  }
  return body.complete() ? std::optional(std::move(origins)) : std::nullopt;
}

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {}

  [[nodiscard]] Restored run() {
    while (at_ < source_.bytes) {
      std::vector<std::byte> octets;
      const std::optional<Mark> mark = mark_at(at_, octets);
      if (mark && take(*mark, octets.size())) {
        continue;
      }
      const std::uint64_t next = find_mark(at_ + 1);
      damaged(at_, next - at_);
      at_ = next;
    }
    result_.is_whole = end_frames_ == result_.frames && result_.damaged.empty();
    return std::move(result_);
  }

 private:
  /// The mark at `offset`, if a whole one stands there that may follow. It refers to `octets`,
  /// which get it.
  [[nodiscard]] std::optional<Mark> mark_at(std::uint64_t offset,
                                            std::vector<std::byte>& octets) const {
    std::array<std::byte, frame_header_bytes> header{};
    if (source_.read(offset, header) != header.size()) {
      return std::nullopt;
    }
    const std::size_t bytes = mark_bytes(header);
    if (bytes == 0 || bytes > source_.bytes - offset ||
        !may_follow(wire::frame_sequence(header.data()))) {
      return std::nullopt;
    }
    octets.resize(bytes);
    if (source_.read(offset, octets) != bytes) {
      return std::nullopt;
    }
    return read_mark(octets);
  }

  /// Whether a mark can belong to this file, and stand behind those that were read.
  [[nodiscard]] bool may_follow(std::uint64_t sequence) const noexcept {
    return next_sequence_ == 0 ||
           (sequence >= next_sequence_ && sequence >> 32 == next_sequence_ >> 32);
  }

  /// Takes what a mark says, and what stands behind it. False if it makes no sense.
  bool take(const Mark& mark, std::size_t bytes) {
    switch (mark.kind) {
      case MarkKind::ledger: {
        const auto ledger = read_ledger(mark.body);
        if (!ledger) {
          return false;
        }
        result_.saved.ledger = ledger;
        break;
      }
      case MarkKind::origins: {
        const auto origins = read_origins(mark.body);
        if (!origins) {
          return false;
        }
        result_.saved.origins.insert(result_.saved.origins.end(), origins->begin(), origins->end());
        break;
      }
      case MarkKind::block: {
        const auto table = read_block_table(mark.body);
        if (!table) {
          return false;
        }
        next_sequence_ = mark.sequence + 1;
        at_ += bytes;
        take_block(*table);
        return true;
      }
      case MarkKind::end: {
        OctetReader body(mark.body);
        end_frames_ = body.get<std::uint64_t>();
        break;
      }
      default:
        return false;
    }
    next_sequence_ = mark.sequence + 1;
    at_ += bytes;
    return true;
  }

  /// The frames behind a block's mark: those that are there and undamaged.
  void take_block(const BlockTable& table) {
    const std::uint64_t there = std::min(table.bytes, source_.bytes - at_);
    auto slab = std::make_shared_for_overwrite<std::byte[]>(there);
    const std::size_t readable = source_.read(at_, std::span(slab.get(), there));
    const SlabRange block{.slab = slab,
                          .slab_bytes = there,
                          .octets = std::span<const std::byte>(slab.get(), readable)};
    std::size_t begin = 0;  // of the frames in `runs`
    std::size_t offset = 0;
    std::size_t read = 0;
    RunBuilder runs(table.width);
    const auto finish_batch = [&] {
      if (runs.frames() > 0) {
        SlabRange range = block;
        range.octets = block.octets.subspan(begin, offset - begin);
        const ReadStamp stamp{.received_at = table.reads[read].received_at, .width = table.width};
        result_.frames += runs.frames();
        result_.saved.frames.emplace_back(std::move(range), runs.take(), stamp);
      }
    };
    for (std::size_t i = 0; i < table.frames.size(); ++i) {
      if (read + 1 < table.reads.size() && table.reads[read + 1].first_frame == i) {
        finish_batch();
        begin = offset;
        ++read;
      }
      const std::size_t bytes = table.frames[i].bytes;
      if (bytes > readable - offset) {
        break;  // cut off; all that follows is, too
      }
      const std::span<const std::byte> frame = block.octets.subspan(offset, bytes);
      if (is_intact(frame, table.frames[i])) {
        runs.add(wire::frame_origin(frame.data()), wire::frame_sequence(frame.data()), bytes);
      } else {
        finish_batch();
        damaged(at_ + offset, bytes);
        begin = offset + bytes;
      }
      offset += bytes;
    }
    finish_batch();
    damaged(at_ + offset, there - offset);
    at_ += there;
  }

  [[nodiscard]] static bool is_intact(std::span<const std::byte> frame,
                                      const BlockTable::Frame& entry) noexcept {
    return crc32c(frame) == entry.checksum && wire::frame_bytes(frame.data()) == frame.size() &&
           (wire::frame_flags(frame.data()) & ~frame_flag_stored) == 0;
  }

  void damaged(std::uint64_t offset, std::uint64_t bytes) {
    if (bytes == 0) {
      return;
    }
    std::vector<Region>& regions = result_.damaged;
    if (!regions.empty() && regions.back().offset + regions.back().bytes == offset) {
      regions.back().bytes += bytes;
    } else {
      regions.push_back({offset, bytes});
    }
  }

  /// Where the next undamaged mark stands, from `from` on; the end of the source if there is none.
  [[nodiscard]] std::uint64_t find_mark(std::uint64_t from) const {
    constexpr std::size_t window_bytes = 256 * 1024;
    std::vector<std::byte> window;
    std::vector<std::byte> octets;
    while (from + mark_head_bytes <= source_.bytes) {
      window.resize(std::min<std::uint64_t>(window_bytes, source_.bytes - from));
      const std::size_t there = source_.read(from, window);
      const std::span<const std::byte> seen(window.data(), there);
      for (std::size_t i = 0; i + frame_header_bytes <= seen.size(); ++i) {
        if (mark_bytes(seen.subspan(i)) != 0 && mark_at(from + i, octets)) {
          return from + i;
        }
      }
      // A header may begin at the end of the window. What cannot be read is passed over.
      from += there > frame_header_bytes ? there - frame_header_bytes + 1 : window.size();
    }
    return source_.bytes;
  }

  const Source& source_;
  std::uint64_t at_ = 0;
  std::uint64_t next_sequence_ = 0;  // of the next mark, at least; 0 before the first one
  std::optional<std::uint64_t> end_frames_;
  Restored result_;
};

}  // namespace

Restored read_saved(const Source& source) {
  return Reader(source).run();
}

}  // namespace meridian::state
