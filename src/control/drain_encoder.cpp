#include "control/drain_encoder.hpp"

#include "status/json.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <iterator>

namespace meridian::control {

namespace {

void append_base64(std::string& out, std::span<const std::byte> octets) {
  const std::size_t begin = out.size();
  const std::size_t encoded = (octets.size() + 2) / 3 * 4;
  out.resize(begin + encoded + 1);  // EVP_EncodeBlock writes a terminating zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                  reinterpret_cast<const unsigned char*>(octets.data()),
                  static_cast<int>(octets.size()));
  out.resize(begin + encoded);
}

}  // namespace

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
    if (received_at != received_at_ || received_at_text_.empty()) {
      received_at_ = received_at;
      received_at_text_ = status::format_time(received_at);
    }
    const FrameView frame = read_frame(batch.octets().subspan(batch_offset_));
    append_frame(out, frame);
    batch_offset_ += frame.octets.size();
    if (batch_offset_ == batch.bytes()) {
      batch_offset_ = 0;
      ++batch_;
    }
  }
  if (batch_ == drained_.batches.size()) {
    fmt::format_to(std::back_inserter(out), R"(],"remaining":{}}})", drained_.remaining);
    stage_ = Stage::ended;
  }
  return true;
}

void DrainJsonEncoder::append_frame(std::string& out, const FrameView& frame) {
  const FrameHeader& header = frame.header;
  fmt::format_to(
      std::back_inserter(out),
      R"({}{{"satellite_id":{},"channel_id":{},"sequence":{},"stored":{},"received_at":"{}","payload":")",
      first_frame_ ? "" : ",", header.origin.satellite_id, header.origin.channel_id,
      header.sequence, header.stored, received_at_text_);
  append_base64(out, frame.payload());
  out += R"("})";
  first_frame_ = false;
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
