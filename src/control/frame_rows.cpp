#include "control/frame_rows.hpp"

#include "status/json.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cstddef>
#include <iterator>
#include <span>

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

void FrameRows::append(std::string& out, const FrameView& frame, ReceiveTime received_at,
                       bool redelivered) {
  if (received_at != received_at_ || received_at_text_.empty()) {
    received_at_ = received_at;
    received_at_text_ = status::format_time(received_at);
  }
  const FrameHeader& header = frame.header;
  fmt::format_to(
      std::back_inserter(out),
      R"({}{{"satellite_id":{},"channel_id":{},"sequence":{},"stored":{},"received_at":"{}",{}"payload":")",
      first_ ? "" : ",", header.origin.satellite_id, header.origin.channel_id, header.sequence,
      header.stored, received_at_text_, redelivered ? R"("redelivered":true,)" : "");
  append_base64(out, frame.payload());
  out += R"("})";
  first_ = false;
}

}  // namespace meridian::control
