/// Publishes messages into a stream, several at once.
#pragma once

#include "sink/jetstream/outcome.hpp"
#include "sink/message.hpp"
#include "sink/options.hpp"
#include "sink/ticket.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace meridian::nats {
class Connection;
}

namespace meridian::sink::jetstream {

namespace asio = boost::asio;

/// Gives each ticket exactly one outcome: the server's answer, that no answer came within
/// `acknowledgement_timeout`, or that the connection was lost, which is reported at once. The
/// caller may publish a refused message again with the same id: some refusals leave open whether
/// the message is stored.
///
/// Ownership: keeps nothing of a message but a copy of its octets, until its outcome.
/// Bounds: the caller sets them, by counting the messages in flight.
/// Thread-safety: `publish` may be called by one thread at a time, but by none of the library's.
/// Lifetime: `connection` must outlive this object. After the destructor, which may run in
/// `on_outcome`, no more outcomes are reported.
class Publisher {
 public:
  static constexpr std::chrono::milliseconds acknowledgement_timeout{5000};
  using OnOutcome = std::function<void(const Outcome&)>;

  /// `on_outcome` runs in `executor`: see nats::Outlet. Throws std::invalid_argument if the subject
  /// of `options` is not a template.
  Publisher(nats::Connection& connection, Options options, const asio::any_io_executor& executor,
            OnOutcome on_outcome);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  /// Writes the message to the server. Waits while the server does not read, but at most for
  /// nats::Session::write_deadline. Does not wait for a connection.
  void publish(const Message& message, Ticket ticket);

 private:
  struct Core;

  nats::Connection& connection_;
  std::shared_ptr<Core> core_;
};

}  // namespace meridian::sink::jetstream
