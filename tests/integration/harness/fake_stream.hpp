/// A client of a plain NATS server that answers in place of JetStream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nats/nats.h>

namespace meridian::test {

/// A message that was published to the fake stream.
struct PublishedMessage {
  std::string subject;
  std::string id;  ///< its Nats-Msg-Id
  std::string payload;
};

/// Answers as the stream TELEMETRY with the subjects meridian.*.*, but stores nothing. The server
/// must not have JetStream, which would answer, too. Thread-safety: all members may be called
/// from any thread.
class FakeStream {
 public:
  /// Returns the answer to a message. No value: there is no answer.
  using Answer = std::function<std::optional<std::string>(const PublishedMessage&)>;

  /// `config` is added to the configuration that the stream reports, such as
  /// `"persist_mode":"async"`.
  FakeStream(const std::string& url, Answer answer, const std::string& config = "");
  FakeStream(const FakeStream&) = delete;
  FakeStream& operator=(const FakeStream&) = delete;

  /// Applies from now on.
  void set_answer(Answer answer);

  /// What the stream also reports about itself and its messages.
  struct Facts {
    std::string retention = "limits";
    std::string discard = "new";
    std::int64_t max_messages = -1;
    std::int64_t max_messages_per_subject = -1;
    std::uint64_t first_sequence = 0;
    std::uint64_t last_sequence = 0;
  };
  /// Applies from now on.
  void set_facts(Facts facts);

  /// Returns the answer to a request for a stored message, in JSON. No value: there is no answer.
  /// By default, the answer says that there is no such message.
  using Stored = std::function<std::optional<std::string>(const std::string& request)>;
  void set_stored(Stored stored);

  [[nodiscard]] std::vector<PublishedMessage> published() const;
  /// The requests for stored messages so far.
  [[nodiscard]] std::vector<std::string> asked() const;

 private:
  void serve(const std::string& subject);
  void received(natsMsg* message);
  [[nodiscard]] std::optional<std::string> answer_to(natsMsg* message);

  template <auto destroy>
  struct Destroy {
    template <typename Object>
    void operator()(Object* object) const noexcept {
      destroy(object);
    }
  };

  mutable std::recursive_mutex mutex_;  // recursive: answers may use `published`
  // Protected by mutex_.
  Answer answer_;
  Stored stored_;
  std::vector<PublishedMessage> published_;
  std::vector<std::string> asked_;
  Facts facts_;

  const std::string config_;
  std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>> connection_;
  std::vector<std::jthread> threads_;  // one for each subscription; last, so that they end first
};

}  // namespace meridian::test
