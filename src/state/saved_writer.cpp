#include "state/saved_writer.hpp"

#include "state/bodies.hpp"
#include "state/checksum.hpp"
#include "state/mark.hpp"

#include <meridian/version.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace meridian::state {

namespace {

class Writer {
 public:
  Writer(std::uint32_t nonce, const WriteOctets& write)
      : next_sequence_(std::uint64_t{nonce} << 32), write_(write) {}

  void mark(MarkKind kind, const Body& body) { put(encode_mark(kind, next_sequence_++, body)); }

  /// Writes a batch in blocks.
  void frames(const BufferedBatch& buffered) {
    const FrameBatch& batch = buffered.batch;
    BlockTable empty{
        .width = batch.stamp().width, .place = buffered.place, .redelivered = batch.redelivered()};
    BlockTable table = empty;
    std::size_t offset = 0;
    for (const FrameView frame : batch) {
      if (table.bytes > 0 && table.bytes + frame.octets.size() > block_bytes) {
        block(table, batch.octets().subspan(offset - table.bytes, table.bytes));
        empty.place += empty.place != 0 ? table.frames.size() : 0;
        table = empty;
      }
      add(table, frame, batch.received_at(offset));
      offset += frame.octets.size();
    }
    block(table, batch.octets().subspan(offset - table.bytes, table.bytes));
  }

  void end() { mark(MarkKind::end, encode_end(frames_)); }

  [[nodiscard]] std::error_code error() const noexcept { return error_; }

 private:
  static void add(BlockTable& table, const FrameView& frame, ReceiveTime received_at) {
    if (table.reads.empty() || table.reads.back().received_at != received_at) {
      table.reads.push_back({static_cast<std::uint32_t>(table.frames.size()), received_at});
    }
    table.frames.push_back({static_cast<std::uint32_t>(frame.octets.size()), crc32c(frame.octets)});
    table.bytes += frame.octets.size();
  }

  void block(const BlockTable& table, std::span<const std::byte> octets) {
    mark(MarkKind::block, encode(table));
    put(octets);
    frames_ += table.frames.size();
  }

  void put(std::span<const std::byte> octets) {
    if (!error_) {
      error_ = write_(octets);
    }
  }

  std::uint64_t next_sequence_;
  const WriteOctets& write_;
  std::uint64_t frames_ = 0;
  std::error_code error_;
};

constexpr std::size_t max_body_bytes = max_mark_bytes - mark_head_bytes;

/// Simplifies a position that cannot be written, so that the consumer repeats some frames rather
/// than losing one.
SavedConsumer from_the_first_gap_on(const SavedConsumer& consumer) {
  SavedConsumer simple;
  simple.name = consumer.name;
  simple.next_place = consumer.next_place;
  const auto note = [&simple](const PlaceRange& range) {
    simple.next_place = std::min(simple.next_place, range.first);
  };
  std::ranges::for_each(consumer.unread, note);
  for (const Attempt& attempt : consumer.attempts) {
    std::ranges::for_each(attempt.ranges, note);
  }
  return simple;
}

}  // namespace

std::error_code write_saved(const SavedState& saved, std::uint32_t nonce,
                            const WriteOctets& write) {
  Writer writer(nonce, write);
  writer.mark(MarkKind::version,
              encode(FormatVersion{.format = format_version,
                                   .program = fmt::format("{}.{}.{}", version_major, version_minor,
                                                          version_patch)}));
  if (saved.ledger) {
    writer.mark(MarkKind::ledger, encode(*saved.ledger));
  }
  for (std::span<const OriginStats> rest(saved.origins); !rest.empty();) {
    const std::size_t count = std::min(rest.size(), origins_per_mark);
    writer.mark(MarkKind::origins, encode(rest.first(count)));
    rest = rest.subspan(count);
  }
  if (saved.forgotten) {
    writer.mark(MarkKind::forgotten, encode(std::span(&*saved.forgotten, 1)));
  }
  if (saved.positions) {
    writer.mark(MarkKind::places, encode(*saved.positions));
    for (const SavedConsumer& consumer : saved.positions->consumers) {
      std::vector<ConsumerPart> parts = divide(consumer, max_body_bytes);
      if (parts.empty()) {
        parts.push_back({.consumer = from_the_first_gap_on(consumer)});
      }
      for (const ConsumerPart& part : parts) {
        writer.mark(MarkKind::consumer, encode(part));
      }
    }
  }
  for (const BufferedBatch& buffered : saved.frames) {
    if (writer.error()) {
      break;
    }
    writer.frames(buffered);
  }
  writer.end();
  return writer.error();
}

}  // namespace meridian::state
