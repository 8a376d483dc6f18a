/// Reads a stream of NATS JetStream through a durable pull consumer.
#pragma once

#include "sim/consume_options.hpp"
#include "sim/nats.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace meridian::sim {

/// What was not acknowledged within that time, since its reader died or its connection broke, is
/// delivered again.
inline constexpr std::chrono::seconds acknowledged_within{2};

/// A connection and a consumer. The library's threads connect again by themselves, and for ever;
/// the consumer keeps its place at the server, so that reading goes on where it was.
///
/// Every call blocks. Not thread-safe.
class StreamReader {
 public:
  /// Connects, and takes up the consumer that `options` name, or makes it. Throws
  /// std::runtime_error where there is no server, no stream, or a consumer that reads otherwise. A
  /// cluster that has no leader has `options.idle_timeout` to find one.
  explicit StreamReader(const ConsumeOptions& options);
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  /// Removes the consumer unless it has a name that was asked for.
  ~StreamReader();

  /// The next messages in `list`, as soon as there are some: up to 64. None if there are none
  /// within 250 ms, or if they cannot be had: then `trouble` says why.
  void fetch(nats::MessageList& list);

  /// Why nothing could be fetched or asked the last time, or "".
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

  /// Says that a message is done with. Without a connection it is said when there is one again.
  static void acknowledge(natsMsg& message);

  /// Waits until the server has got what was acknowledged, up to 2 s.
  void flush();

  /// What the consumer has left of the stream.
  struct Left {
    std::uint64_t not_delivered = 0;
    std::uint64_t not_acknowledged = 0;  ///< of what was delivered to this reader or another
  };
  /// Nothing where the cluster does not say: then `trouble` tells why.
  [[nodiscard]] Left ask_what_is_left();

 private:
  void connect(const ConsumeOptions& options);
  void open_consumer(const ConsumeOptions& options);
  [[nodiscard]] std::string try_to_open_consumer(const ConsumeOptions& options);
  [[nodiscard]] natsStatus make_consumer(const ConsumeOptions& options, jsErrCode& code);

  std::string stream_;
  std::string consumer_;
  bool consumer_is_ours_;
  // In this order: each needs the one before.
  nats::Connection connection_;
  nats::JetStream jet_stream_;
  nats::Subscription subscription_;
  std::string trouble_;
};

}  // namespace meridian::sim
