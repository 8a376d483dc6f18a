/// One reply, exactly once: request and response between coroutines.
///
///     auto [tx, rx] = meridian::oneshot<int>(executor);
///     std::move(tx).send(42);  // consumes tx
///     boost::system::result<int> reply = co_await std::move(rx).receive();
///
/// A sender that was moved from has no way to the receiver: a second send gives its value back.
///
/// Source: tokio::sync::oneshot, as in "Async Rust", chapter 8.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/errors.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace meridian::inline v2 {

namespace asio = boost::asio;

template <typename T>
class OneshotSender;
template <typename T>
class OneshotReceiver;

/// Makes the two ends, neither of which may outlive the execution context. Completions run on the
/// executor of the coroutine that waits.
template <typename T>
[[nodiscard]] std::pair<OneshotSender<T>, OneshotReceiver<T>> oneshot(
    asio::any_io_executor executor);

namespace detail {

template <typename T>
using OneshotRaw = asio::experimental::concurrent_channel<void(error_code, std::optional<T>)>;

/// Owns one end: closing the channel tells the other end that this one is gone.
template <typename T>
class OneshotEnd {
 public:
  explicit OneshotEnd(std::shared_ptr<OneshotRaw<T>> raw) noexcept : raw_(std::move(raw)) {}
  OneshotEnd(OneshotEnd&&) noexcept = default;
  OneshotEnd& operator=(OneshotEnd&& other) noexcept {
    const OneshotEnd old(std::move(*this));
    raw_ = std::move(other.raw_);
    return *this;
  }
  ~OneshotEnd() {
    if (raw_) {
      raw_->close();
    }
  }

  [[nodiscard]] OneshotRaw<T>* operator->() const noexcept { return raw_.get(); }

  /// Keeps this end from closing the channel, which would make what was sent unreachable.
  [[nodiscard]] std::shared_ptr<OneshotRaw<T>> release() noexcept { return std::move(raw_); }

 private:
  std::shared_ptr<OneshotRaw<T>> raw_;
};

}  // namespace detail

/// Sends the reply. Move-only; destroying it unused gives the receiver Errc::reply_dropped.
/// Thread-safety: the two ends may be on distinct threads.
template <typename T>
class OneshotSender {
 public:
  /// Gives the reply to the receiver. Returns nothing, or the value if the receiver is gone.
  /// Never waits. Consumes the sender.
  std::optional<T> send(T value) && {
    std::optional<T> message(std::move(value));
    const auto raw = end_.release();
    if (raw && raw->try_send(error_code{}, std::move(message))) {
      return std::nullopt;
    }
    // The channel moves from its arguments only on success.
    return message;  // NOLINT(bugprone-use-after-move)
  }

  /// Whether the receiver is gone, so that `send` would give its value back.
  [[nodiscard]] bool is_abandoned() const { return !end_->is_open(); }

 private:
  template <typename U>
  friend std::pair<OneshotSender<U>, OneshotReceiver<U>> oneshot(asio::any_io_executor);

  explicit OneshotSender(detail::OneshotEnd<T> end) noexcept : end_(std::move(end)) {}

  detail::OneshotEnd<T> end_;
};

/// Waits for the reply. Move-only; destroying it makes a later `send` give its value back.
/// Thread-safety: the two ends may be on distinct threads.
template <typename T>
class OneshotReceiver {
 public:
  /// The reply, or Errc::reply_dropped if the sender went away without one.
  /// Cancellation: asio::error::operation_aborted; a reply sent later goes back to its sender.
  [[nodiscard]] asio::awaitable<boost::system::result<T>> receive() && {
    return wait(std::move(end_));
  }

 private:
  template <typename U>
  friend std::pair<OneshotSender<U>, OneshotReceiver<U>> oneshot(asio::any_io_executor);

  explicit OneshotReceiver(detail::OneshotEnd<T> end) noexcept : end_(std::move(end)) {}

  static asio::awaitable<boost::system::result<T>> wait(detail::OneshotEnd<T> end) {
    auto [ec, reply] = co_await end->async_receive(asio::as_tuple(asio::use_awaitable));
    if (ec == asio::experimental::error::channel_cancelled) {
      co_return error_code(asio::error::operation_aborted);
    }
    if (ec || !reply) {
      co_return error_code(Errc::reply_dropped);
    }
    co_return *std::move(reply);
  }

  detail::OneshotEnd<T> end_;
};

template <typename T>
std::pair<OneshotSender<T>, OneshotReceiver<T>> oneshot(asio::any_io_executor executor) {
  auto raw = std::make_shared<detail::OneshotRaw<T>>(std::move(executor), std::size_t{1});
  detail::OneshotEnd<T> other(raw);
  return {OneshotSender<T>(std::move(other)),
          OneshotReceiver<T>(detail::OneshotEnd<T>(std::move(raw)))};
}

}  // namespace meridian::inline v2
