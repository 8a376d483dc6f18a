/// Multi-producer, single-consumer channels for Asio, with the semantics of tokio::sync::mpsc.
///
///     auto [tx, rx] = meridian::channel<int>(executor, 32);
///     co_await tx.send(1);                 // suspends while 32 messages wait
///     std::optional<int> got = co_await rx.receive();   // nullopt: all senders are gone
///
/// Ends: when the last sender is destroyed, the receiver still gets everything that was sent and
/// then the end. When the receiver is destroyed, waiting and later sends fail with
/// Errc::receiver_gone, and messages that are still in the channel are destroyed. A waiting send
/// never succeeds for a message that nobody can receive.
///
/// Order: first in, first out for each sender.
///
/// Clean shutdown: stop the senders (destroy them), receive until the end. Keep no spare sender:
/// a forgotten one keeps the stream open.
///
/// Source: tokio::mpsc, as in "Async Rust", chapter 8; built on
/// boost::asio::experimental::concurrent_channel.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/detail/channel_core.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace meridian::inline v2 {

namespace asio = boost::asio;

/// A message that was refused, and why.
template <typename T>
struct [[nodiscard]] Refused {
  error_code reason;  ///< Errc::channel_full, Errc::receiver_gone or Errc::aggregator_shut_down
  T value;
};

/// How full a channel is, in messages.
struct ChannelLevel {
  std::size_t length = 0;
  std::size_t capacity = 0;
  std::size_t high_water = 0;
};

template <typename T>
class Sender;
template <typename T>
class UnboundedSender;
template <typename T>
class Receiver;

/// Makes a channel that holds exactly `capacity` messages: with 32, the 33rd send waits. T must be
/// move-constructible and move-assignable without throwing. Completions run on the executor of the
/// operation that waits, or on `executor` if it has none. Neither end may outlive the execution
/// context. Throws std::invalid_argument for a capacity of 0.
template <typename T>
[[nodiscard]] std::pair<Sender<T>, Receiver<T>> channel(asio::any_io_executor executor,
                                                        std::size_t capacity);

/// Makes a channel whose send never waits. For streams that something else bounds: if the receiver
/// falls behind, the channel grows until memory runs out.
template <typename T>
[[nodiscard]] std::pair<UnboundedSender<T>, Receiver<T>> unbounded_channel(
    asio::any_io_executor executor);

namespace detail {

/// Whether moving a message cannot throw: neither into the channel nor, if the channel refuses it,
/// back to its sender.
template <typename T>
inline constexpr bool movable_without_loss =
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;

/// Shares the sending end. Senders are counted, so that the last one ends the stream.
template <typename T>
class SenderRef {
 public:
  explicit SenderRef(std::shared_ptr<ChannelCore<T>> core) noexcept : core_(std::move(core)) {}
  SenderRef(const SenderRef& other) noexcept : core_(other.core_) {
    if (core_) {
      core_->add_sender();
    }
  }
  SenderRef(SenderRef&& other) noexcept = default;
  SenderRef& operator=(SenderRef other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~SenderRef() {
    if (core_) {
      core_->remove_sender();
    }
  }

  [[nodiscard]] ChannelCore<T>& operator*() const noexcept { return *core_; }
  [[nodiscard]] ChannelCore<T>* operator->() const noexcept { return core_.get(); }

 private:
  std::shared_ptr<ChannelCore<T>> core_;
};

/// Starts a waiting send as an Asio operation.
template <typename T>
struct StartSend {
  SenderRef<T> sender;

  template <typename Handler>
  void operator()(Handler&& handler, T value) const {
    sender->start_send(std::move(value), std::forward<Handler>(handler));
  }
};

/// Starts a waiting receive as an Asio operation.
template <typename T>
struct StartReceive {
  ChannelCore<T>* core;

  template <typename Handler>
  void operator()(Handler&& handler) const {
    core->start_receive(std::forward<Handler>(handler));
  }
};

template <typename T>
[[nodiscard]] std::optional<Refused<T>> try_send(const SenderRef<T>& sender, T value) {
  if (const error_code refused = sender->try_send(value)) {
    return Refused<T>{refused, std::move(value)};
  }
  return std::nullopt;
}

}  // namespace detail

/// The sending end of a bounded channel. Copies share the channel; each is a sender of its own.
///
/// Ownership: destroying the last copy ends the stream.
/// Thread-safety: distinct copies, and const members of the same copy, may be used on distinct
/// threads.
template <typename T>
class Sender {
 public:
  /// Sends `value`, waiting while the channel is full.
  ///
  /// Result: no error once the message is in the channel, or Errc::receiver_gone.
  /// Cancellation: a cancelled send (asio::error::operation_aborted) has not sent its message;
  /// a send that could not be cancelled any more reports success. Do not race a send against a
  /// timer with the `||` of awaitable_operators: it can send twice.
  [[nodiscard]] asio::awaitable<error_code> send(T value) const {
    return send(ref_, std::move(value));
  }

  /// Sends `value` if there is room now. Never waits.
  /// Returns nothing if it was sent, else the reason and the value.
  [[nodiscard]] std::optional<Refused<T>> try_send(T value) const {
    return detail::try_send(ref_, std::move(value));
  }

  /// True once sends are refused: the receiver has called `close`, or is gone.
  [[nodiscard]] bool closed() const noexcept { return ref_->receiver_gone(); }

  [[nodiscard]] ChannelLevel level() const noexcept {
    const detail::LengthGauge& gauge = ref_->gauge();
    return {gauge.now(), gauge.capacity(), gauge.high_water()};
  }

 private:
  template <typename U>
  friend std::pair<Sender<U>, Receiver<U>> channel(asio::any_io_executor, std::size_t);

  explicit Sender(detail::SenderRef<T> ref) noexcept : ref_(std::move(ref)) {}

  static asio::awaitable<error_code> send(detail::SenderRef<T> ref, T value) {
    // A send that finds room costs no trip through the scheduler.
    const error_code refused = ref->try_send(value);
    if (refused != Errc::channel_full) {
      co_return refused;
    }
    auto token = asio::as_tuple(asio::use_awaitable);
    auto operation = asio::async_initiate<decltype(token), void(error_code)>(
        detail::StartSend<T>{ref}, token, std::move(value));
    const auto [ec] = co_await std::move(operation);
    if (!ec) {
      co_return error_code{};
    }
    if (ref->receiver_gone()) {
      co_return Errc::receiver_gone;
    }
    co_return asio::error::operation_aborted;
  }

  detail::SenderRef<T> ref_;
};

/// The sending end of an unbounded channel. Copies share the channel.
///
/// Ownership and thread-safety: as `Sender`.
template <typename T>
class UnboundedSender {
 public:
  /// Sends `value` at once. Returns nothing, or Errc::receiver_gone with the value.
  [[nodiscard]] std::optional<Refused<T>> send(T value) const {
    return detail::try_send(ref_, std::move(value));
  }

  [[nodiscard]] bool closed() const noexcept { return ref_->receiver_gone(); }

 private:
  template <typename U>
  friend std::pair<UnboundedSender<U>, Receiver<U>> unbounded_channel(asio::any_io_executor);

  explicit UnboundedSender(detail::SenderRef<T> ref) noexcept : ref_(std::move(ref)) {}

  detail::SenderRef<T> ref_;
};

/// The only receiving end of a channel.
///
/// Ownership: move-only. Destroying it makes all sends fail, and destroys what was not received.
/// Thread-safety: one operation at a time; a `receive` in progress counts as one. Must not be
/// destroyed while a `receive` is in progress.
template <typename T>
class Receiver {
 public:
  Receiver(Receiver&&) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept {
    const Receiver old(std::move(*this));
    core_ = std::move(other.core_);
    ended_ = other.ended_;
    return *this;
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() {
    if (core_) {
      core_->remove_receiver();
    }
  }

  /// The next message; nothing once all senders are gone and everything was received.
  ///
  /// Cancellation: throws boost::system::system_error(operation_aborted) and takes no message; a
  /// receive that could not be cancelled any more returns its message. Do not race a receive
  /// against a timer with the `||` of awaitable_operators: it can drop a message. Send the tick as
  /// a message instead.
  [[nodiscard]] asio::awaitable<std::optional<T>> receive() {
    detail::Message<T> message;
    if (ended_) {
      co_return std::nullopt;
    }
    // A receive that finds a message costs no trip through the scheduler.
    if (core_->try_receive(message)) {
      auto token = asio::as_tuple(asio::use_awaitable);
      auto operation = asio::async_initiate<decltype(token), void(error_code, detail::Message<T>)>(
          detail::StartReceive<T>{core_.get()}, token);
      auto [ec, received] = co_await std::move(operation);
      if (ec) {
        throw boost::system::system_error(asio::error::operation_aborted);
      }
      message = std::move(received);
    }
    co_return unpack(message);
  }

  /// The next message if there is one now; else Errc::channel_empty or Errc::channel_ended.
  [[nodiscard]] boost::system::result<T> try_receive() {
    detail::Message<T> message;
    if (!ended_) {
      if (const error_code ec = core_->try_receive(message)) {
        return ec;
      }
    }
    std::optional<T> value = unpack(message);
    if (!value) {
      return error_code(Errc::channel_ended);
    }
    return *std::move(value);
  }

  /// Refuses sends from now on, including those that are waiting: they fail with
  /// Errc::receiver_gone. What was sent can still be received, with `try_receive`, until it returns
  /// Errc::channel_empty. Must not be called while a `receive` is in progress, and none may be
  /// started afterwards.
  void close() { core_->refuse_sends(); }

  [[nodiscard]] ChannelLevel level() const noexcept {
    const detail::LengthGauge& gauge = core_->gauge();
    return {gauge.now(), gauge.capacity(), gauge.high_water()};
  }

 private:
  template <typename U>
  friend std::pair<Sender<U>, Receiver<U>> channel(asio::any_io_executor, std::size_t);
  template <typename U>
  friend std::pair<UnboundedSender<U>, Receiver<U>> unbounded_channel(asio::any_io_executor);

  explicit Receiver(std::shared_ptr<detail::ChannelCore<T>> core) noexcept
      : core_(std::move(core)) {}

  std::optional<T> unpack(detail::Message<T>& message) {
    std::optional<T> value = message.take();
    ended_ = !value.has_value();
    return value;
  }

  std::shared_ptr<detail::ChannelCore<T>> core_;
  bool ended_ = false;
};

template <typename T>
std::pair<Sender<T>, Receiver<T>> channel(asio::any_io_executor executor, std::size_t capacity) {
  static_assert(detail::movable_without_loss<T>, "a message must not get lost in a move");
  if (capacity == 0) {
    throw std::invalid_argument("a channel holds at least one message");
  }
  auto core = std::make_shared<detail::ChannelCore<T>>(std::move(executor), capacity);
  detail::SenderRef<T> sender(core);
  return {Sender<T>(std::move(sender)), Receiver<T>(std::move(core))};
}

template <typename T>
std::pair<UnboundedSender<T>, Receiver<T>> unbounded_channel(asio::any_io_executor executor) {
  static_assert(detail::movable_without_loss<T>, "a message must not get lost in a move");
  auto core = std::make_shared<detail::ChannelCore<T>>(std::move(executor),
                                                       std::numeric_limits<std::size_t>::max());
  detail::SenderRef<T> sender(core);
  return {UnboundedSender<T>(std::move(sender)), Receiver<T>(std::move(core))};
}

}  // namespace meridian::inline v2
