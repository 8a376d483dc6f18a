/// What the two ends of a channel share. Not for use outside meridian/channel.hpp.
#pragma once

#include <meridian/detail/context_watch.hpp>
#include <meridian/detail/send_gate.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace meridian::inline v2::detail {

namespace asio = boost::asio;

/// How many messages are in a channel, now and at its peak so far.
class LengthGauge {
 public:
  explicit LengthGauge(std::size_t capacity) noexcept : capacity_(capacity) {}

  /// Senders that wait hold a message too, but the channel itself never holds more than its
  /// capacity.
  [[nodiscard]] std::size_t now() const noexcept {
    return std::min(length_.load(std::memory_order_relaxed), capacity_);
  }
  [[nodiscard]] std::size_t high_water() const noexcept {
    return std::min(high_water_.load(std::memory_order_relaxed), capacity_);
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  void add() noexcept {
    const std::size_t length = length_.fetch_add(1, std::memory_order_relaxed) + 1;
    std::size_t high = high_water_.load(std::memory_order_relaxed);
    while (length > high && !high_water_.compare_exchange_weak(high, length)) {
    }
  }
  void remove() noexcept { length_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::size_t capacity_;
  std::atomic<std::size_t> length_{0};
  std::atomic<std::size_t> high_water_{0};
};

/// A value in transit; the gauge counts it until it is taken or destroyed. Without a value it is
/// the end of the stream.
template <typename T>
class Message {
 public:
  Message() = default;
  Message(std::optional<T> value, LengthGauge& gauge) : value_(std::move(value)), gauge_(&gauge) {
    gauge_->add();
  }
  Message(Message&& other) noexcept
      : value_(std::move(other.value_)), gauge_(std::exchange(other.gauge_, nullptr)) {}
  Message& operator=(Message&& other) noexcept {
    release();
    value_ = std::move(other.value_);
    gauge_ = std::exchange(other.gauge_, nullptr);
    return *this;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { release(); }

  /// Takes the value out; the message no longer counts.
  [[nodiscard]] std::optional<T> take() {
    release();
    return std::exchange(value_, std::nullopt);
  }

 private:
  void release() noexcept {
    if (gauge_ != nullptr) {
      std::exchange(gauge_, nullptr)->remove();
    }
  }

  std::optional<T> value_;
  LengthGauge* gauge_ = nullptr;
};

/// The queue between the two ends, on a concurrent_channel of Boost 1.81.
///
/// Traps of that channel, and how this class avoids each:
/// - `close()` makes buffered messages unreachable: the end of the stream is a message instead.
/// - `close()` leaves a waiting sender waiting, and a `cancel()` after it reports success: the
///   receiver's end cancels first and then closes, while a gate lets no sender in.
/// - A cancelled receive leaves a channel that refuses sends although it is empty: a receive is not
///   cancelled, but interrupted by a message that carries operation_aborted.
/// - A send to a channel whose context is being destroyed crashes: none is started.
/// - `try_send_n` has a data race in later versions: it is not used.
template <typename T>
class ChannelCore : public std::enable_shared_from_this<ChannelCore<T>> {
 public:
  using Raw = asio::experimental::concurrent_channel<void(error_code, Message<T>)>;

  ChannelCore(asio::any_io_executor executor, std::size_t capacity)
      : gauge_(capacity), raw_(std::move(executor), capacity), context_(raw_.get_executor()) {}

  // Sender side ------------------------------------------------------------------------------

  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }

  /// The last sender queues the end of the stream after everything that was sent.
  void remove_sender() {
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) == 1 && enter()) {
      const Inside inside{gate_};
      // The handler keeps this object alive while the end of the stream waits for room.
      raw_.async_send(error_code{}, Message<T>{}, EndSent{this->shared_from_this()});
    }
  }

  /// No error: sent, and `value` is moved from. channel_full, receiver_gone: `value` is untouched.
  [[nodiscard]] error_code try_send(T& value) {
    if (!enter()) {
      return Errc::receiver_gone;
    }
    const Inside inside{gate_};
    Message<T> message(std::move(value), gauge_);
    if (raw_.try_send(error_code{}, std::move(message))) {
      return {};
    }
    // The channel moves from its arguments only on success.
    value = std::move(*message.take());  // NOLINT(bugprone-use-after-move)
    return Errc::channel_full;
  }

  /// Starts a send that may wait for room. The handler gets any error as the raw channel gives it.
  template <typename Handler>
  void start_send(T value, Handler handler) {
    if (!enter()) {
      const auto executor = asio::get_associated_executor(handler, raw_.get_executor());
      asio::post(executor, asio::append(std::move(handler), error_code(Errc::receiver_gone)));
      return;
    }
    const Inside inside{gate_};
    raw_.async_send(error_code{}, Message<T>(std::move(value), gauge_), std::move(handler));
  }

  [[nodiscard]] bool receiver_gone() const noexcept { return gate_.closed(); }

  // Receiver side ----------------------------------------------------------------------------

  /// channel_empty, or the message.
  [[nodiscard]] error_code try_receive(Message<T>& message) {
    error_code result;
    do {
      result = Errc::channel_empty;
      raw_.try_receive([&](error_code ec, Message<T> received) {
        result = ec;
        message = std::move(received);
      });
    } while (result == asio::error::operation_aborted);  // too late: no receive waits
    return result;
  }

  /// Starts a receive that waits. The handler gets a message, or operation_aborted if cancelled.
  template <typename Handler>
  void start_receive(Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.template emplace<Interrupt>(this);
    }
    raw_.async_receive(asio::bind_cancellation_slot(asio::cancellation_slot(), std::move(handler)));
  }

  /// Ends all sends with an error, including those that are waiting. Keeps what is in the channel.
  void refuse_sends() {
    gate_.close();
    raw_.cancel();
  }

  /// Also destroys what can no longer be received.
  void remove_receiver() {
    refuse_sends();
    Message<T> unread;
    while (!try_receive(unread)) {
      std::ignore = unread.take();
    }
    raw_.close();
  }

  // Both -------------------------------------------------------------------------------------

  [[nodiscard]] const LengthGauge& gauge() const noexcept { return gauge_; }

 private:
  struct EndSent {
    std::shared_ptr<ChannelCore> core;
    void operator()(error_code) const noexcept {}
  };

  /// Must precede each send. False if sends are refused. Otherwise an `Inside` must follow.
  [[nodiscard]] bool enter() noexcept { return !context_.ended() && gate_.enter(); }

  /// Leaves the gate when it is destroyed, even if an allocation throws.
  struct Inside {
    SendGate& gate;
    explicit Inside(SendGate& entered) noexcept : gate(entered) {}
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { gate.leave(); }
  };

  struct Interrupt {
    ChannelCore* core;
    void operator()(asio::cancellation_type) const {
      core->raw_.try_send(error_code(asio::error::operation_aborted), Message<T>{});
    }
  };

  LengthGauge gauge_;  // outlives the messages in raw_, which point to it
  Raw raw_;
  ContextWatch context_;
  SendGate gate_;
  std::atomic<std::size_t> senders_{1};
};

}  // namespace meridian::inline v2::detail
