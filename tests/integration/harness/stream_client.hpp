/// A client of NATS JetStream that writes messages as a sink does, and messages that no sink may
/// write.
#pragma once

#include "integration/harness/frames.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nats/nats.h>

namespace meridian::test {

/// A message as a stream stores it.
struct StreamMessage {
  std::string payload;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// A message with these frames, and the headers that describe them. If `id` is "", the id is
/// derived from the frames.
[[nodiscard]] StreamMessage message_of(const std::vector<NativeFrame>& frames,
                                       const std::string& id = "");

/// The state of a consumer as the server knows it, in messages.
struct ConsumerState {
  std::uint64_t not_delivered = 0;
  std::uint64_t not_acknowledged = 0;  ///< of the delivered messages
  std::uint64_t all_acknowledged_up_to = 0;
};

/// Every member throws std::runtime_error if it fails.
class StreamClient {
 public:
  /// Connects. `credentials` names a file; "": none.
  explicit StreamClient(const std::string& url, const std::string& credentials = "");

  /// Makes a stream with all subjects that begin with its name and a dot.
  void make_stream(const std::string& stream, int replicas = 1);

  /// Stores the messages, one after another, under one subject of the stream. The server must not
  /// have any of them yet.
  void publish(const std::string& stream, const std::vector<StreamMessage>& messages,
               const std::string& subject = "frames");
  void publish(const std::string& stream, const StreamMessage& message) {
    publish(stream, std::vector<StreamMessage>{message});
  }

  /// Makes a durable consumer that requires an acknowledgement of each message: a pull consumer, or
  /// a push consumer if `deliver_to` is a subject.
  void make_consumer(const std::string& stream, const std::string& consumer,
                     std::chrono::nanoseconds ack_wait, const std::string& deliver_to = "");

  void remove_consumer(const std::string& stream, const std::string& consumer);

  /// The state of a consumer. No value if there is no such consumer, or if the cluster does not
  /// answer at the moment.
  [[nodiscard]] std::optional<ConsumerState> consumer(const std::string& stream,
                                                      const std::string& consumer);
  [[nodiscard]] std::vector<std::string> consumers(const std::string& stream);

  /// Acts like a reader that dies: fetches `count` messages, and acknowledges none.
  void fetch_and_forget(const std::string& stream, const std::string& consumer, int count);

 private:
  template <auto destroy>
  struct Destroy {
    template <typename Object>
    void operator()(Object* object) const noexcept {
      destroy(object);
    }
  };

  std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>> connection_;
  std::unique_ptr<jsCtx, Destroy<jsCtx_Destroy>> jet_stream_;
};

}  // namespace meridian::test
