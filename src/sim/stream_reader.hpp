/// Reads a stream of NATS JetStream through a durable pull consumer.
#pragma once

#include "nats/handles.hpp"
#include "sim/consume_options.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace meridian::sim {

/// The server delivers a message again if it is not acknowledged within this time, because its
/// reader died or the connection broke.
inline constexpr std::chrono::seconds acknowledged_within{2};

/// A connection and a consumer. The library's threads reconnect on their own, as often as it takes.
/// The server keeps the consumer's place in the stream, so reading goes on where it stopped.
///
/// Every call blocks. Not thread-safe.
class StreamReader {
 public:
  /// Connects, and opens the consumer that `options` name; makes the consumer if it does not exist.
  /// Throws std::runtime_error if there is no server or no stream, or if the consumer exists but
  /// reads in another way. A cluster without a leader has `options.idle_timeout` to elect one.
  explicit StreamReader(const ConsumeOptions& options);
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  /// Removes the consumer unless `options` named it.
  ~StreamReader();

  /// Puts up to 64 messages into `list`, as soon as there are some. Puts none if none come within
  /// 250 ms, or if they cannot be fetched: then `trouble` says why.
  void fetch(nats::MessageList& list);

  /// Why the last `fetch` or `ask_what_is_left` failed, or "".
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

  /// Acknowledges a message. Without a connection, the library sends the acknowledgement once there
  /// is one again.
  static void acknowledge(natsMsg& message);

  /// Waits until the server has received the acknowledgements, up to 2 s.
  void flush();

  /// What the consumer has not read or not acknowledged yet.
  struct Left {
    std::uint64_t not_delivered = 0;
    std::uint64_t not_acknowledged = 0;  ///< of what was delivered to this reader or another
  };
  /// All 0 if the cluster does not answer: then `trouble` says why.
  [[nodiscard]] Left ask_what_is_left();

 private:
  void connect(const ConsumeOptions& options);
  void open_consumer(const ConsumeOptions& options);
  [[nodiscard]] std::string try_to_open_consumer(const ConsumeOptions& options);
  [[nodiscard]] natsStatus make_consumer(const ConsumeOptions& options, jsErrCode& code);

  std::string stream_;
  std::string consumer_;
  bool consumer_is_ours_;
  // In this order, since each handle needs the one before it.
  nats::ConnectionHandle connection_;
  nats::JetStreamHandle jet_stream_;
  nats::SubscriptionHandle subscription_;
  std::string trouble_;
};

}  // namespace meridian::sim
