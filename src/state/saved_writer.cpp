#include "state/saved_writer.hpp"

#include "state/checksum.hpp"
#include "state/mark.hpp"
#include "state/octets.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace meridian::state {

namespace {

/// Consecutive frames of a batch, while they are gathered.
class Block {
 public:
  [[nodiscard]] bool has_room_for(const FrameView& frame) const noexcept {
    return frames_ == 0 || octets_ + frame.octets.size() <= block_bytes;
  }

  void add(const FrameView& frame, ReceiveTime received_at) {
    if (frames_ == 0 || received_at != last_received_at_) {
      read_table_.put(frames_);
      read_table_.put(received_at.time_since_epoch().count());
      last_received_at_ = received_at;
      ++reads_;
    }
    frame_table_.put(static_cast<std::uint32_t>(frame.octets.size()));
    frame_table_.put(crc32c(frame.octets));
    octets_ += frame.octets.size();
    ++frames_;
  }

  [[nodiscard]] std::size_t octets() const noexcept { return octets_; }
  [[nodiscard]] std::uint32_t frames() const noexcept { return frames_; }

  [[nodiscard]] std::vector<std::byte> mark(std::uint64_t sequence, SequenceWidth width) const {
    OctetWriter body;
    body.put(static_cast<std::uint8_t>(width));
    body.put(reads_);
    body.put(frames_);
    std::vector<std::byte> all = body.octets();
    all.insert(all.end(), read_table_.octets().begin(), read_table_.octets().end());
    all.insert(all.end(), frame_table_.octets().begin(), frame_table_.octets().end());
    return encode_mark(MarkKind::block, sequence, all);
  }

 private:
  OctetWriter read_table_;
  OctetWriter frame_table_;
  std::size_t octets_ = 0;
  std::uint32_t reads_ = 0;
  std::uint32_t frames_ = 0;
  ReceiveTime last_received_at_{};
};

class Writer {
 public:
  Writer(std::uint32_t nonce, const WriteOctets& write)
      : next_sequence_(std::uint64_t{nonce} << 32), write_(write) {}

  void ledger(const Ledger& ledger) {
    OctetWriter body;
    body.put(ledger.received);
    body.put(ledger.buffered);
    body.put(ledger.drained);
    body.put(ledger.flushed);
    body.put(static_cast<std::uint16_t>(ledger.dropped.size()));
    for (const std::uint64_t frames : ledger.dropped) {
      body.put(frames);
    }
    mark(MarkKind::ledger, body);
  }

  void origins(std::span<const OriginStats> origins) {
    OctetWriter body;
    body.put(static_cast<std::uint32_t>(origins.size()));
    for (const OriginStats& stats : origins) {
      const Origin origin = stats.origin.value_or(Origin{});
      body.put(static_cast<std::uint8_t>(stats.origin ? 1 : 0));
      body.put(origin.satellite_id);
      body.put(origin.channel_id);
      body.put(stats.frames);
      body.put(stats.bytes);
      body.put(static_cast<std::uint8_t>(stats.last_sequence ? 1 : 0));
      body.put(stats.last_sequence.value_or(0));
      body.put(stats.gaps);
      body.put(stats.missing);
      body.put(stats.duplicates);
      body.put(stats.late);
      body.put(stats.dropped);
      body.put(std::int64_t{stats.last_seen_at.time_since_epoch().count()});
    }
    mark(MarkKind::origins, body);
  }

  void frames(const FrameBatch& batch) {
    Block block;
    std::size_t block_begin = 0;
    const auto finish_block = [&] {
      put(block.mark(next_sequence_++, batch.stamp().width));
      put(batch.octets().subspan(block_begin, block.octets()));
      frames_ += block.frames();
      block_begin += block.octets();
    };
    for (const FrameView frame : batch) {
      if (!block.has_room_for(frame)) {
        finish_block();
        block = Block();
      }
      const auto offset = static_cast<std::size_t>(frame.octets.data() - batch.octets().data());
      block.add(frame, batch.received_at(offset));
    }
    finish_block();
  }

  void end() {
    OctetWriter body;
    body.put(frames_);
    mark(MarkKind::end, body);
  }

  [[nodiscard]] std::error_code error() const noexcept { return error_; }

 private:
  void mark(MarkKind kind, const OctetWriter& body) {
    put(encode_mark(kind, next_sequence_++, body.octets()));
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
    writer.ledger(*saved.ledger);
  }
  for (std::span<const OriginStats> rest(saved.origins); !rest.empty();) {
    const std::size_t count = std::min(rest.size(), origins_per_mark);
    writer.origins(rest.first(count));
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
