#include "sim/source.hpp"

#include "frame/space_packet.hpp"

#include <meridian/frame.hpp>

#include <boost/endian/conversion.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <stdexcept>
#include <utility>

namespace meridian::sim {

namespace {

/// How much is written at once, or a little more: enough to keep a socket busy.
constexpr std::size_t chunk_bytes = 64 * 1024;

/// Random octets, from which payloads are cut. To generate each payload anew would be slower than
/// the daemon.
class PayloadPool {
 public:
  PayloadPool(Range sizes, std::uint64_t seed) : random_(seed), sizes_(sizes.least, sizes.most) {
    pool_.resize(2 * std::max<std::size_t>(sizes.most, 4096));
    std::ranges::generate(pool_, [this] { return static_cast<std::byte>(random_()); });
  }

  [[nodiscard]] std::span<const std::byte> next() {
    const std::size_t size = sizes_.min() == sizes_.max() ? sizes_.min() : sizes_(random_);
    offset_ = (offset_ + 61) % (pool_.size() - size + 1);
    return std::span(pool_).subspan(offset_, size);
  }

 private:
  std::mt19937_64 random_;
  std::uniform_int_distribution<std::size_t> sizes_;
  std::vector<std::byte> pool_;
  std::size_t offset_ = 0;
};

/// Native frames of one satellite.
class NativeSource final : public Source {
 public:
  NativeSource(SatelliteId satellite_id, Range payload_bytes, std::uint64_t seed)
      : origin_{.satellite_id = satellite_id}, payloads_(payload_bytes, seed) {}

  Chunk next(std::uint64_t max_frames) override {
    chunk_.clear();
    std::uint64_t frames = 0;
    while (frames < max_frames && chunk_.size() < chunk_bytes) {
      const std::span<const std::byte> payload = payloads_.next();
      const std::size_t begin = chunk_.size();
      chunk_.resize(begin + frame_header_bytes + payload.size());
      const std::span<std::byte> frame = std::span(chunk_).subspan(begin);
      write_frame_header({.origin = origin_, .sequence = sequence_++}, payload.size(),
                         frame.first<frame_header_bytes>());
      std::ranges::copy(payload, frame.begin() + frame_header_bytes);
      ++frames;
    }
    return {chunk_, frames};
  }

 private:
  Origin origin_;
  PayloadPool payloads_;
  std::uint64_t sequence_ = 0;
  std::vector<std::byte> chunk_;
};

/// Space packets of several APIDs in turn, whose counts roll over.
class SpacePacketSource final : public Source {
 public:
  SpacePacketSource(std::size_t uplink, Range payload_bytes, std::uint64_t seed)
      : first_apid_(static_cast<ChannelId>(uplink * apids % frame::space_packet::idle_apid)),
        payloads_(payload_bytes, seed) {}

  Chunk next(std::uint64_t max_frames) override {
    chunk_.clear();
    std::uint64_t packets = 0;
    while (packets < max_frames && chunk_.size() < chunk_bytes) {
      append(payloads_.next());
      ++packets;
    }
    return {chunk_, packets};
  }

 private:
  static constexpr std::size_t apids = 4;

  void append(std::span<const std::byte> data) {
    const std::size_t channel = turn_++ % apids;
    const auto apid =
        static_cast<std::uint16_t>((first_apid_ + channel) % frame::space_packet::idle_apid);
    constexpr std::uint16_t unsegmented = 0xC000;
    const auto count = static_cast<std::uint16_t>(counts_.at(channel)++ &
                                                  frame::space_packet::sequence_count_mask);
    std::array<unsigned char, frame::space_packet::header_bytes> header{};
    boost::endian::store_big_u16(header.data(), apid);
    boost::endian::store_big_u16(header.data() + 2, unsegmented | count);
    boost::endian::store_big_u16(header.data() + 4, static_cast<std::uint16_t>(data.size() - 1));
    const auto octets = std::as_bytes(std::span(header));
    chunk_.insert(chunk_.end(), octets.begin(), octets.end());
    chunk_.insert(chunk_.end(), data.begin(), data.end());
  }

  ChannelId first_apid_;
  PayloadPool payloads_;
  std::array<std::uint16_t, apids> counts_{};
  std::size_t turn_ = 0;
  std::vector<std::byte> chunk_;
};

/// The packets of a file, once or again and again.
class ReplaySource final : public Source {
 public:
  ReplaySource(std::shared_ptr<const std::vector<std::byte>> packets, bool repeat)
      : packets_(std::move(packets)), repeat_(repeat) {}

  Chunk next(std::uint64_t max_frames) override {
    if (at_ == packets_->size() && repeat_) {
      at_ = 0;
    }
    const std::size_t begin = at_;
    std::uint64_t packets = 0;
    while (packets < max_frames && at_ - begin < chunk_bytes && at_ < packets_->size()) {
      at_ += frame::space_packet::packet_bytes(packets_->data() + at_);
      ++packets;
    }
    return {std::span(*packets_).subspan(begin, at_ - begin), packets};
  }

 private:
  std::shared_ptr<const std::vector<std::byte>> packets_;
  bool repeat_;
  std::size_t at_ = 0;
};

}  // namespace

std::shared_ptr<const std::vector<std::byte>> load_packets(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  // A directory can be opened, but reading it throws.
  if (!in || std::filesystem::is_directory(file)) {
    throw std::runtime_error(fmt::format("{}: cannot be read", file));
  }
  const std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto octets = std::as_bytes(std::span(content));
  auto packets = std::make_shared<std::vector<std::byte>>(octets.begin(), octets.end());
  for (std::size_t at = 0; at < packets->size();) {
    const std::size_t left = packets->size() - at;
    const bool whole = left >= frame::space_packet::header_bytes &&
                       frame::space_packet::packet_bytes(packets->data() + at) <= left;
    if (!whole || frame::space_packet::version(packets->data() + at) != 0) {
      throw std::runtime_error(fmt::format("{}: no whole space packet at offset {}", file, at));
    }
    at += frame::space_packet::packet_bytes(packets->data() + at);
  }
  if (packets->empty()) {
    throw std::runtime_error(fmt::format("{}: is empty", file));
  }
  return packets;
}

std::unique_ptr<Source> make_source(const Options& options, std::size_t index,
                                    const std::shared_ptr<const std::vector<std::byte>>& replayed) {
  const std::uint64_t seed = options.seed + index;
  if (replayed) {
    const bool repeat = options.frames.has_value() || options.duration.has_value();
    return std::make_unique<ReplaySource>(replayed, repeat);
  }
  if (options.framing == Framing::ccsds_space_packet) {
    return std::make_unique<SpacePacketSource>(index, options.payload_bytes, seed);
  }
  return std::make_unique<NativeSource>(static_cast<SatelliteId>(index + 1), options.payload_bytes,
                                        seed);
}

}  // namespace meridian::sim
