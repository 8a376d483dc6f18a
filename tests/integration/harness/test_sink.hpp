/// A connection and a publisher under test, and everything that they report.
#pragma once

#include "integration/harness/deadlines.hpp"
#include "nats/connection.hpp"
#include "nats/session.hpp"
#include "sink/jetstream/publisher.hpp"
#include "sink/jetstream/stream.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nats/nats.h>

namespace meridian::test {

/// Options for a stream TELEMETRY with the subjects meridian.*.*.
[[nodiscard]] sink::Options sink_options(std::vector<std::string> servers);

/// A session for a test's own requests, such as creating the stream. Throws if it cannot connect.
[[nodiscard]] std::shared_ptr<nats::Session> connect(const sink::Options& options);

/// Creates the stream of a sink, with that many replicas. Throws on failure.
void create_stream(const sink::Options& options, std::uint32_t replicas = 1);

/// Adds a stream with that name and subject. `change` may change its configuration first. Throws on
/// failure.
void add_stream(const sink::Options& options, const std::string& name, const std::string& subject,
                const std::function<void(jsStreamConfig&)>& change = {});

/// Changes the configuration of a sink's stream, as the stream's owner would. Throws on failure.
void change_stream(const sink::Options& options,
                   const std::function<void(jsStreamConfig&)>& change);

/// A message of satellite 7, channel 3, with the frames from sequence `first` on.
[[nodiscard]] sink::Message message_of(std::string id, std::uint64_t first, std::uint32_t frames,
                                       std::size_t payload_bytes = 100);

/// A message that a stream holds.
struct StoredMessage {
  std::string subject;
  std::map<std::string, std::string> headers;
  std::string octets;
};
[[nodiscard]] std::vector<StoredMessage> stored_in(const sink::Options& options);

/// Collects what a connection and a publisher report, in a thread of its own.
class TestSink {
 public:
  explicit TestSink(const sink::Options& options);
  ~TestSink();

  /// Publishes with the next ticket: 0, 1, …
  sink::Ticket publish(const sink::Message& message);

  /// Waits for the connection. False if it does not come.
  [[nodiscard]] bool connected();

  /// Waits for the outcome of a ticket. Throws if none comes.
  [[nodiscard]] sink::jetstream::Outcome outcome(sink::Ticket ticket);
  /// The same, as text: "acknowledged", "duplicate", or the name of a refusal.
  [[nodiscard]] std::string fate(sink::Ticket ticket);
  /// All fates so far, and how often each came.
  [[nodiscard]] std::map<std::string, std::size_t> fates();

  /// Waits until there are as many outcomes as published messages. False if that takes too long.
  [[nodiscard]] bool settled();
  /// How often each ticket got an outcome: once, if all is well.
  [[nodiscard]] std::map<sink::Ticket, std::size_t> counts();

  [[nodiscard]] std::vector<nats::ConnectionState> states();
  /// Waits for a state with that refusal, and returns its text. Throws if none comes.
  [[nodiscard]] std::string refused_as(nats::Refusal refusal);

  /// Destroys the publisher.
  void end_publisher() { publisher_.reset(); }
  /// Destroys the publisher and the connection.
  void end();

 private:
  std::mutex mutex_;
  // Protected by mutex_.
  std::vector<sink::jetstream::Outcome> outcomes_;
  std::vector<nats::ConnectionState> states_;

  sink::Ticket next_ = 0;
  boost::asio::thread_pool threads_{1};
  std::unique_ptr<nats::Connection> connection_;
  std::unique_ptr<sink::jetstream::Publisher> publisher_;
};

}  // namespace meridian::test
