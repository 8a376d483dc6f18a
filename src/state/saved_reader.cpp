#include "state/saved_reader.hpp"

#include "frame/run_builder.hpp"
#include "frame/wire.hpp"
#include "state/bodies.hpp"
#include "state/checksum.hpp"
#include "state/mark.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

namespace meridian::state {

namespace {

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {}

  [[nodiscard]] Restored run() {
    nonce_ = find_nonce();
    while (at_ < source_.bytes) {
      std::vector<std::byte> octets;
      const std::optional<Mark> mark = mark_at(at_, octets);
      if (mark && take(*mark, octets.size())) {
        if (newer_) {
          Restored nothing;
          nothing.newer = std::move(newer_);
          return nothing;
        }
        continue;
      }
      forget_unfinished_consumer();
      const std::uint64_t next = find_mark(at_ + 1);
      damaged(at_, next - at_);
      at_ = next;
    }
    forget_unfinished_consumer();
    result_.is_whole = end_frames_ == result_.frames && result_.damaged.empty();
    result_.unreadable = unreadable_;
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const {
    const ReadResult got = source_.read(offset, out);
    if (got.error && !unreadable_) {
      unreadable_ = got.error;
    }
    return got.bytes;
  }

  /// The mark at `offset`, if a whole one is there that may follow. Its octets are read into
  /// `octets`, to which it refers.
  [[nodiscard]] std::optional<Mark> mark_at(std::uint64_t offset,
                                            std::vector<std::byte>& octets) const {
    std::array<std::byte, frame_header_bytes> header{};
    if (read_at(offset, header) != header.size()) {
      return std::nullopt;
    }
    const std::size_t bytes = mark_bytes(header);
    if (bytes == 0 || bytes > source_.bytes - offset ||
        !may_follow(frame::wire::frame_sequence(header.data()))) {
      return std::nullopt;
    }
    octets.resize(bytes);
    if (read_at(offset, octets) != bytes) {
      return std::nullopt;
    }
    const std::optional<Mark> mark = read_mark(octets);
    checked_in_vain_ += mark ? 0 : bytes;
    return mark;
  }

  /// Whether a mark can belong to this file, and come after those that were read.
  [[nodiscard]] bool may_follow(std::uint64_t sequence) const noexcept {
    return (!nonce_ || sequence >> 32 == *nonce_) && sequence >= next_sequence_;
  }

  /// The random number of all marks of this file. It is read where no payload can be: at the
  /// beginning or the end of the file. Nothing if both are damaged.
  [[nodiscard]] std::optional<std::uint64_t> find_nonce() const {
    std::vector<std::byte> octets;
    if (const auto first = mark_at(0, octets)) {
      return first->sequence >> 32;
    }
    if (source_.bytes >= end_mark_bytes) {
      const auto last = mark_at(source_.bytes - end_mark_bytes, octets);
      if (last && last->kind == MarkKind::end) {
        return last->sequence >> 32;
      }
    }
    return std::nullopt;
  }

  /// Takes what a mark says, and the frames after it. False if the mark makes no sense.
  bool take(const Mark& mark, std::size_t bytes) {
    if (mark.kind != MarkKind::consumer) {
      forget_unfinished_consumer();
    }
    std::optional<BlockTable> table;
    if (mark.kind == MarkKind::block) {
      table = decode_block(mark.body);
    }
    if (!table && !take_book(mark)) {
      return false;
    }
    nonce_ = mark.sequence >> 32;
    next_sequence_ = mark.sequence + 1;
    at_ += bytes;
    if (table) {
      take_block(*table);
    }
    return true;
  }

  /// Takes one part of a position, which counts only if all of its parts are there.
  bool take_part(std::optional<ConsumerPart> part) {
    if (part && part->part == 0) {
      forget_unfinished_consumer();
    }
    if (!part || !result_.saved.positions || part->part != next_part_) {
      return false;
    }
    SavedConsumer& consumer = part->consumer;
    std::vector<SavedConsumer>& all = result_.saved.positions->consumers;
    if (part->part == 0) {
      all.push_back(std::move(consumer));
    } else {
      std::ranges::move(consumer.unread, std::back_inserter(all.back().unread));
      std::ranges::move(consumer.attempts, std::back_inserter(all.back().attempts));
    }
    next_part_ = part->part + 1U < part->parts ? part->part + 1U : 0;
    return true;
  }

  /// Drops an incomplete position: without the other parts, frames that the consumer has not read
  /// would count as read.
  void forget_unfinished_consumer() {
    if (next_part_ > 0) {
      result_.saved.positions->consumers.pop_back();
      next_part_ = 0;
    }
  }

  /// Takes a mark that no frames follow.
  bool take_book(const Mark& mark) {
    if (mark.kind == MarkKind::version) {
      std::optional<FormatVersion> version = decode_version(mark.body);
      const bool is_version = version.has_value();
      if (version && version->format > format_version) {
        newer_ = std::move(version);
      }
      return is_version;
    }
    if (mark.kind == MarkKind::ledger) {
      result_.saved.ledger = decode_ledger(mark.body);
      return result_.saved.ledger.has_value();
    }
    if (mark.kind == MarkKind::origins) {
      const auto origins = decode_origins(mark.body).value_or(std::vector<OriginStats>{});
      result_.saved.origins.insert(result_.saved.origins.end(), origins.begin(), origins.end());
      return !origins.empty();
    }
    if (mark.kind == MarkKind::forgotten) {
      const auto rows = decode_origins(mark.body).value_or(std::vector<OriginStats>{});
      if (rows.size() == 1) {
        result_.saved.forgotten = rows.front();
      }
      return rows.size() == 1;
    }
    if (mark.kind == MarkKind::places) {
      result_.saved.positions = decode_places(mark.body);
      return result_.saved.positions.has_value();
    }
    if (mark.kind == MarkKind::consumer) {
      const auto& positions = result_.saved.positions;
      return take_part(decode_consumer(mark.body, positions ? positions->epoch : 0));
    }
    if (mark.kind == MarkKind::end) {
      end_frames_ = decode_end(mark.body);
      return end_frames_.has_value();
    }
    return false;
  }

  /// Takes the frames after a block's mark, as far as they are there and undamaged.
  void take_block(const BlockTable& table) {
    const std::uint64_t there = std::min(table.bytes, source_.bytes - at_);
    auto slab = std::make_shared_for_overwrite<std::byte[]>(there);
    const std::size_t readable = read_at(at_, std::span(slab.get(), there));
    const SlabRange block{.slab = slab,
                          .slab_bytes = there,
                          .octets = std::span<const std::byte>(slab.get(), readable)};
    std::size_t begin = 0;  // offset of the frames in `runs`
    std::size_t index = 0;  // index of the first of them
    std::size_t offset = 0;
    std::size_t read = 0;
    frame::RunBuilder runs(table.width);
    const auto finish_batch = [&] {
      if (runs.frames() > 0) {
        SlabRange range = block;
        range.octets = block.octets.subspan(begin, offset - begin);
        const ReadStamp stamp{.received_at = table.reads[read].received_at, .width = table.width};
        result_.frames += runs.frames();
        FrameBatch batch(std::move(range), runs.take(), stamp);
        if (table.redelivered) {
          batch.mark_redelivered();
        }
        const std::uint64_t place = table.place != 0 ? table.place + index : 0;
        result_.saved.frames.push_back({place, std::move(batch)});
      }
    };
    for (std::size_t i = 0; i < table.frames.size(); ++i) {
      if (read + 1 < table.reads.size() && table.reads[read + 1].first_frame == i) {
        finish_batch();
        begin = offset;
        index = i;
        ++read;
      }
      const std::size_t bytes = table.frames[i].bytes;
      if (bytes > readable - offset) {
        break;  // this frame is cut off, and nothing follows
      }
      const std::span<const std::byte> frame = block.octets.subspan(offset, bytes);
      if (is_intact(frame, table.frames[i])) {
        runs.add(frame::wire::frame_origin(frame.data()), frame::wire::frame_sequence(frame.data()),
                 bytes, frame::wire::is_stored(frame.data()));
      } else {
        finish_batch();
        damaged(at_ + offset, bytes);
        begin = offset + bytes;
        index = i + 1;
      }
      offset += bytes;
    }
    finish_batch();
    damaged(at_ + offset, there - offset);
    at_ += there;
  }

  [[nodiscard]] static bool is_intact(std::span<const std::byte> frame,
                                      const BlockTable::Frame& entry) noexcept {
    return crc32c(frame) == entry.checksum &&
           frame::wire::frame_bytes(frame.data()) == frame.size() &&
           (frame::wire::frame_flags(frame.data()) & ~frame_flag_stored) == 0;
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

  /// The offset of the next undamaged mark from `from` on; the end of the source if there is none.
  [[nodiscard]] std::uint64_t find_mark(std::uint64_t from) const {
    constexpr std::size_t window_bytes = 256 * 1024;
    std::vector<std::byte> window;
    std::vector<std::byte> octets;
    while (from + mark_head_bytes <= source_.bytes) {
      window.resize(std::min<std::uint64_t>(window_bytes, source_.bytes - from));
      const std::size_t there = read_at(from, window);
      const std::span<const std::byte> seen(window.data(), there);
      for (std::size_t i = 0; i + frame_header_bytes <= seen.size(); ++i) {
        if (mark_bytes(seen.subspan(i)) == 0) {
          continue;
        }
        if (mark_at(from + i, octets)) {
          return from + i;
        }
        if (checked_in_vain_ > most_checked_in_vain()) {
          return source_.bytes;
        }
      }
      // A header may begin at the end of the window, so the next window overlaps it. What cannot be
      // read is skipped.
      from += there > frame_header_bytes ? there - frame_header_bytes + 1 : window.size();
    }
    return source_.bytes;
  }

  /// Bounds the search: a payload may be full of octets that look like headers of long marks.
  [[nodiscard]] std::uint64_t most_checked_in_vain() const noexcept {
    return 4 * source_.bytes + 64 * max_mark_bytes;
  }

  const Source& source_;
  std::uint64_t at_ = 0;
  std::optional<std::uint64_t> nonce_;
  std::uint64_t next_sequence_ = 0;            // the lowest that the next mark may have
  mutable std::uint64_t checked_in_vain_ = 0;  // octets
  unsigned next_part_ = 0;                     // of the position that is being read; 0: none is
  std::optional<std::uint64_t> end_frames_;
  std::optional<FormatVersion> newer_;
  mutable std::error_code unreadable_;
  Restored result_;
};

}  // namespace

Restored read_saved(const Source& source) {
  return Reader(source).run();
}

}  // namespace meridian::state
