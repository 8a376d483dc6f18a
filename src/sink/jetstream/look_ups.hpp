/// Asks a stream for messages that it may have, with many questions in flight.
#pragma once

#include "nats/outlet.hpp"
#include "nats/refusal.hpp"
#include "sink/jetstream/stored_message.hpp"
#include "sink/options.hpp"
#include "sink/ticket.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace meridian::nats {
class Connection;
}

namespace meridian::sink::jetstream {

/// Which message to ask for: the one at a sequence, or the last one of a subject.
using Where = std::variant<std::uint64_t, std::string>;

struct Found {
  Ticket ticket = 0;
  nats::Result<std::optional<StoredMessage>> message;  ///< no value: there is no such message
};

/// Gives each question exactly one answer: what the leader of the stream says, that the leader has
/// not answered within `stream_timeout`, or that the connection was lost. Up to `most_at_once`
/// questions are in flight, so that a thousand of them take a few round trips. The others wait in
/// order.
///
/// Only the thread that serves the session asks the server and waits for answers.
///
/// Bounds: the caller sets them, by counting the messages that it asks for. In addition, each
/// answer in flight takes as much memory as a message of the stream.
/// Thread-safety: `ask` may be called by one thread at a time. Lifetime: as Publisher.
class LookUps {
 public:
  static constexpr std::size_t most_at_once = 256;
  using OnFound = std::function<void(const Found&)>;

  LookUps(nats::Connection& connection, Options options, const asio::any_io_executor& executor,
          OnFound on_found);
  LookUps(const LookUps&) = delete;
  LookUps& operator=(const LookUps&) = delete;
  ~LookUps();

  /// Asks for a message. Does not wait for the answer, which `on_found` gets.
  void ask(Ticket ticket, Where where);

 private:
  class Round;

  nats::Connection& connection_;
  const Options options_;
  const std::shared_ptr<nats::Outlet<Found>> outlet_;
  std::weak_ptr<Round> round_;  // the round in the current session
};

}  // namespace meridian::sink::jetstream
