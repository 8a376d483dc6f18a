/// Publishes messages into a stream, several at once.
#pragma once

#include "sink/message.hpp"
#include "sink/options.hpp"
#include "sink/refusal.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

namespace meridian::sink {

namespace asio = boost::asio;

class NatsConnection;

/// By what the caller knows a message again.
using Ticket = std::uint64_t;

/// The stream has it, on as many servers as it needs.
struct Acknowledged {
  std::uint64_t sequence = 0;  ///< its place in the stream, from 1 up
  bool duplicate = false;      ///< it had a message of this id already, and keeps that
};

struct Outcome {
  Ticket ticket = 0;
  std::variant<Rejection, Acknowledged> result;
};

/// Gives each ticket exactly one outcome: an answer of the server, that there was none in
/// `acknowledgement_timeout`, or that the connection was lost, which is told at once. What was
/// refused may be published again, with the same id: some refusals leave open whether it is stored.
///
/// Ownership: keeps nothing of a message but a copy of its octets, until its outcome.
/// Bounds: the caller's: it counts what is in flight.
/// Thread-safety: `publish` is for one thread at a time, and not for the library's.
/// Lifetime: `connection` must outlive it. After the destructor there is no outcome any more; it
/// may run in the function that gets them.
class NatsPublisher {
 public:
  static constexpr std::chrono::milliseconds acknowledgement_timeout{5000};
  using OnOutcome = std::function<void(const Outcome&)>;

  /// `on_outcome` runs in `executor`: see Outlet. Throws std::invalid_argument where the subject of
  /// `options` is no template.
  NatsPublisher(NatsConnection& connection, Options options, const asio::any_io_executor& executor,
                OnOutcome on_outcome);
  NatsPublisher(const NatsPublisher&) = delete;
  NatsPublisher& operator=(const NatsPublisher&) = delete;
  ~NatsPublisher();

  /// Writes it to the server. Waits while that does not read, at most NatsSession::write_deadline;
  /// not while there is no connection.
  void publish(const Message& message, Ticket ticket);

 private:
  struct Core;

  NatsConnection& connection_;
  std::shared_ptr<Core> core_;
};

}  // namespace meridian::sink
