#include "state/saved_writer.hpp"

#include "state/bodies.hpp"
#include "state/checksum.hpp"
#include "state/mark.hpp"

#include <algorithm>

namespace meridian::state {

namespace {

class Writer {
 public:
  Writer(std::uint32_t nonce, const WriteOctets& write)
      : next_sequence_(std::uint64_t{nonce} << 32), write_(write) {}

  void mark(MarkKind kind, const Body& body) { put(encode_mark(kind, next_sequence_++, body)); }

  /// A batch, in blocks.
  void frames(const FrameBatch& batch) {
    const BlockTable empty{.width = batch.stamp().width, .redelivered = batch.redelivered()};
    BlockTable table = empty;
    std::size_t offset = 0;
    for (const FrameView frame : batch) {
      if (table.bytes > 0 && table.bytes + frame.octets.size() > block_bytes) {
        block(table, batch.octets().subspan(offset - table.bytes, table.bytes));
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

}  // namespace

std::error_code write_saved(const SavedState& saved, std::uint32_t nonce,
                            const WriteOctets& write) {
  Writer writer(nonce, write);
  if (saved.ledger) {
    writer.mark(MarkKind::ledger, encode(*saved.ledger));
  }
  for (std::span<const OriginStats> rest(saved.origins); !rest.empty();) {
    const std::size_t count = std::min(rest.size(), origins_per_mark);
    writer.mark(MarkKind::origins, encode(rest.first(count)));
    rest = rest.subspan(count);
  }
  for (const FrameBatch& batch : saved.frames) {
    if (writer.error()) {
      break;
    }
    writer.frames(batch);
  }
  writer.end();
  return writer.error();
}

}  // namespace meridian::state
