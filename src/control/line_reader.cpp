#include "control/line_reader.hpp"

#include "runtime/use_tuple.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace meridian::control {

namespace {

constexpr std::size_t read_bytes = 4096;

}  // namespace

asio::awaitable<std::optional<std::string>> LineReader::next() {
  for (;;) {
    std::optional<std::string> line = take_line();
    if (line || end_of_stream_ || line_too_long_) {
      co_return line;
    }
    const std::size_t old_size = received_.size();
    received_.resize(old_size + read_bytes);
    const auto room = asio::buffer(received_.data() + old_size, read_bytes);
    const auto [ec, bytes] = co_await socket_.async_read_some(room, runtime::use_tuple);
    received_.resize(old_size + bytes);
    if (ec && ec != asio::error::eof) {
      co_return std::nullopt;  // a line that was cut off is not a request
    }
    end_of_stream_ = ec == asio::error::eof;
  }
}

std::optional<std::string> LineReader::take_line() {
  const std::size_t max_bytes = max_bytes_;
  const std::size_t end = received_.find('\n', searched_);
  const std::size_t length = std::min(end, received_.size());
  line_too_long_ = length > max_bytes;
  if (line_too_long_) {
    return std::nullopt;
  }
  if (end != std::string::npos) {
    std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    searched_ = 0;
    return line;
  }
  searched_ = received_.size();
  if (end_of_stream_ && !received_.empty()) {
    return std::exchange(received_, {});
  }
  return std::nullopt;
}

}  // namespace meridian::control
