#include "control/drain_encoder.hpp"

#include <fmt/format.h>

#include <iterator>

namespace meridian::control {

bool DrainJsonEncoder::next(std::string& out) {
  out.clear();
  if (stage_ == Stage::ended) {
    return false;
  }
  if (stage_ == Stage::begin) {
    out += R"({"frames":[)";
    stage_ = Stage::frames;
  }
  while (out.size() < piece_bytes && batch_ < drained_.batches.size()) {
    const FrameBatch& batch = drained_.batches[batch_].batch;
    const ReceiveTime received_at = batch.received_at(batch_offset_);
    const FrameView frame = read_frame(batch.octets().subspan(batch_offset_));
    rows_.append(out, frame, received_at, batch.redelivered());
    batch_offset_ += frame.octets.size();
    if (batch_offset_ == batch.bytes()) {
      batch_offset_ = 0;
      ++batch_;
    }
  }
  if (batch_ == drained_.batches.size()) {
    fmt::format_to(std::back_inserter(out), R"(],"remaining":{}{}}})", drained_.remaining,
                   more_fields_);
    stage_ = Stage::ended;
  }
  return true;
}

status::Json redelivered_ranges(const Drained& drained) {
  status::Json ranges = status::Json::array();
  std::uint64_t index = 0;
  bool continues = false;
  for (const BufferedBatch& buffered : drained.batches) {
    const std::uint64_t frames = buffered.batch.frames();
    if (buffered.batch.redelivered() && continues) {
      ranges.back()[1] = ranges.back()[1].get<std::uint64_t>() + frames;
    } else if (buffered.batch.redelivered()) {
      ranges.push_back({index, frames});
    }
    continues = buffered.batch.redelivered();
    index += frames;
  }
  return ranges;
}

bool DrainBinaryEncoder::next(std::vector<boost::asio::const_buffer>& out) {
  out.clear();
  std::size_t bytes = 0;
  while (batch_ < drained_.batches.size() && out.size() < max_buffers && bytes < piece_bytes) {
    const std::span<const std::byte> octets = drained_.batches[batch_++].batch.octets();
    out.emplace_back(octets.data(), octets.size());
    bytes += octets.size();
  }
  return !out.empty();
}

}  // namespace meridian::control
