#include "control/reply_writer.hpp"

#include "runtime/use_tuple.hpp"

#include <boost/asio/write.hpp>

#include <tuple>

#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace meridian::control {

/// A completion condition of `async_write`, which calls it after each part that it has written.
struct ReplyWriter::CountWritten {
  ReplyWriter* writer;

  std::size_t operator()(const error_code& ec, std::size_t written) const noexcept {
    constexpr std::size_t bytes_at_once = 256 * 1024;
    writer->written_ = written;
    return ec ? 0 : bytes_at_once;
  }
};

asio::awaitable<error_code> ReplyWriter::write(std::string_view text) {
  std::vector<asio::const_buffer> buffers{asio::buffer(text)};
  co_return co_await write(std::move(buffers));
}

asio::awaitable<error_code> ReplyWriter::write(std::vector<asio::const_buffer> buffers) {
  // A timeout closes the socket. A race of the write against the timer could write twice.
  ++write_;
  written_ = 0;
  watch(progress());
  const CountWritten count_written{this};
  const auto [ec, bytes] =
      co_await asio::async_write(socket_, buffers, count_written, runtime::use_tuple);
  ++write_;
  timer_.cancel();
  co_return ec;
}

ReplyWriter::Progress ReplyWriter::progress() const {
  Progress progress{.written = written_, .unread = 0};
  ::ioctl(socket_.native_handle(), SIOCOUTQ, &progress.unread);
  return progress;
}

void ReplyWriter::watch(Progress before) {
  timer_.expires_after(patience_);
  timer_.async_wait([weak = weak_from_this(), write = write_, before](const error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || self->write_ != write) {
      return;
    }
    const Progress now = self->progress();
    if (now.written > before.written || now.unread < before.unread) {
      self->watch(now);
    } else {
      self->on_stalled_();
    }
  });
}

}  // namespace meridian::control
