#include "control/tail_encoder.hpp"

#include <fmt/format.h>

#include <limits>
#include <span>
#include <utility>

namespace meridian::control {

namespace {

/// Merges frames that are adjacent in memory into one buffer.
void append_octets(std::vector<boost::asio::const_buffer>& out, std::span<const std::byte> octets) {
  if (!out.empty()) {
    const auto* const end = static_cast<const std::byte*>(out.back().data()) + out.back().size();
    if (end == octets.data()) {
      out.back() = {out.back().data(), out.back().size() + octets.size()};
      return;
    }
  }
  out.emplace_back(octets.data(), octets.size());
}

}  // namespace

TailEncoder::TailEncoder(const Request& request)
    : query_{.satellite_id = request.tail.satellite_id, .channel_id = request.tail.channel_id},
      format_(request.tail.format),
      plain_(request.plain),
      limit_(request.tail.limit.value_or(std::numeric_limits<std::uint64_t>::max())) {}

TailEncoder::Message TailEncoder::begin() {
  return {.line = line_for({}, 0), .octets = {}};
}

void TailEncoder::add(TailPiece piece) {
  piece_ = std::move(piece);
  batch_ = 0;
  batch_offset_ = 0;
}

bool TailEncoder::next(Message& out) {
  out.octets.clear();
  Contents contents;
  rows_.begin_list();
  while (batch_ < piece_.batches.size() && !reached_limit() && !is_complete(contents, out)) {
    add_frames_of(piece_.batches[batch_], contents, out);
  }
  // The lost frames came after all frames of the piece.
  const bool at_end = batch_ == piece_.batches.size();
  const std::uint64_t lost = at_end ? std::exchange(piece_.lost, 0) : 0;
  told_.lost += lost;
  if (contents.frames == 0 && lost == 0) {
    return false;
  }
  out.line = line_for(contents, lost);
  return true;
}

void TailEncoder::add_frames_of(const FrameBatch& batch, Contents& contents, Message& out) {
  while (batch_offset_ < batch.bytes()) {
    if (reached_limit() || is_complete(contents, out)) {
      return;
    }
    const FrameView frame = read_frame(batch.octets().subspan(batch_offset_));
    const ReceiveTime received_at = batch.received_at(batch_offset_);
    batch_offset_ += frame.octets.size();
    if (!query_.matches(frame.header.origin)) {
      continue;
    }
    ++contents.frames;
    contents.bytes += frame.octets.size();
    ++told_.frames;
    told_.bytes += frame.octets.size();
    if (format_ == FrameFormat::json) {
      rows_.append(contents.rows, frame, received_at);
    } else {
      append_octets(out.octets, frame.octets);
    }
  }
  ++batch_;
  batch_offset_ = 0;
}

bool TailEncoder::is_complete(const Contents& contents, const Message& out) const noexcept {
  const std::size_t bytes = format_ == FrameFormat::json ? contents.rows.size() : contents.bytes;
  return bytes >= message_bytes || out.octets.size() >= max_buffers;
}

std::string TailEncoder::line_for(const Contents& contents, std::uint64_t lost) const {
  const std::string params =
      format_ == FrameFormat::json
          ? fmt::format(R"({{"frames":[{}],"lost":{}}})", contents.rows, lost)
          : fmt::format(R"({{"frames":{},"bytes":{},"lost":{}}})", contents.frames, contents.bytes,
                        lost);
  return plain_
             ? params + "\n"
             : fmt::format("{{\"jsonrpc\":\"2.0\",\"method\":\"tail\",\"params\":{}}}\n", params);
}

}  // namespace meridian::control
