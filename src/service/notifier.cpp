#include "service/notifier.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace meridian::service {

namespace {

using asio::local::datagram_protocol;
using boost::system::error_code;

std::uint64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

bool has_no_room(const error_code& ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again ||
         ec == asio::error::no_buffer_space;
}

}  // namespace

Notifier::Notifier(const asio::any_io_executor& strand) : socket_(strand) {
  const char* const place = std::getenv("NOTIFY_SOCKET");
  if (place == nullptr || (*place != '/' && *place != '@')) {
    return;
  }
  std::string path(place);
  if (path.front() == '@') {
    path.front() = '\0';  // an abstract address
  }
  error_code failed;
  socket_.open(datagram_protocol(), failed);
  socket_.non_blocking(true, failed);
  socket_.connect(datagram_protocol::endpoint(path), failed);
  if (failed) {
    close();  // nothing listens there
  }
}

void Notifier::ready() {
  send("READY=1");
}

void Notifier::reloading() {
  // Type=notify-reload of later versions of systemd needs the time too.
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
}

void Notifier::stopping() {
  send("STOPPING=1");
}

void Notifier::alive(std::string_view status) {
  if (socket_.is_open() && waiting_.empty()) {
    error_code ignored;
    socket_.send(asio::buffer(fmt::format("WATCHDOG=1\nSTATUS={}", status)), 0, ignored);
  }
}

void Notifier::close() {
  waiting_.clear();
  error_code ignored;
  socket_.close(ignored);
}

void Notifier::send(std::string state) {
  if (!socket_.is_open()) {
    return;
  }
  waiting_.push_back(std::move(state));
  if (waiting_.size() == 1) {
    send_waiting();
  }
}

void Notifier::send_waiting() {
  while (!waiting_.empty()) {
    error_code ec;
    socket_.send(asio::buffer(waiting_.front()), 0, ec);
    if (has_no_room(ec)) {
      socket_.async_wait(datagram_protocol::socket::wait_write,
                         [this](const error_code& cancelled) {
                           if (!cancelled) {
                             send_waiting();
                           }
                         });
      return;
    }
    waiting_.pop_front();
  }
}

}  // namespace meridian::service
