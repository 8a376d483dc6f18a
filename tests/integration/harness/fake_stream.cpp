#include "integration/harness/fake_stream.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <utility>

namespace meridian::test {

namespace {

constexpr std::string_view none_stored =
    R"({"type":"io.nats.jetstream.api.v1.stream_msg_get_response",)"
    R"("error":{"code":404,"err_code":10037,"description":"no message found"}})";

std::string info_with(const FakeStream::Facts& facts, const std::string& config) {
  return fmt::format(
      R"({{"type":"io.nats.jetstream.api.v1.stream_info_response","config":{{"name":"TELEMETRY",)"
      R"("subjects":["meridian.*.*"],"retention":"{}","max_consumers":-1,"max_msgs":{},)"
      R"("max_bytes":-1,"max_age":0,"max_msgs_per_subject":{},"max_msg_size":-1,"discard":"{}",)"
      R"("storage":"file","num_replicas":3,"duplicate_window":120000000000{}{}}},)"
      R"("created":"2026-01-01T00:00:00Z","state":{{"messages":0,"bytes":0,"first_seq":{},)"
      R"("first_ts":"0001-01-01T00:00:00Z","last_seq":{},"last_ts":"0001-01-01T00:00:00Z",)"
      R"("consumer_count":0}}}})",
      facts.retention, facts.max_messages, facts.max_messages_per_subject, facts.discard,
      config.empty() ? "" : ",", config, facts.first_sequence, facts.last_sequence);
}

void require_done(natsStatus status, const char* what) {
  if (status != NATS_OK) {
    throw std::runtime_error(fmt::format("{}: {}", what, natsStatus_GetText(status)));
  }
}

std::string payload_of(natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

}  // namespace

FakeStream::FakeStream(const std::string& url, Answer answer, const std::string& config)
    : answer_(std::move(answer)), config_(config) {
  natsConnection* connection = nullptr;
  require_done(natsConnection_ConnectTo(&connection, url.c_str()), "connect");
  connection_.reset(connection);
  serve("meridian.*.*");
  serve("$JS.API.STREAM.>");
  require_done(natsConnection_Flush(connection), "flush");
}

/// Serves in a thread that ends before this object does. The library's own threads would go on
/// calling back for a moment longer.
void FakeStream::serve(const std::string& subject) {
  natsSubscription* subscribed = nullptr;
  require_done(natsConnection_SubscribeSync(&subscribed, connection_.get(), subject.c_str()),
               "subscribe");
  using Subscription = std::unique_ptr<natsSubscription, Destroy<natsSubscription_Destroy>>;
  threads_.emplace_back(
      [this, subscription = Subscription(subscribed)](const std::stop_token& stop) {
        constexpr std::int64_t look_up_every_ms = 20;
        while (!stop.stop_requested()) {
          natsMsg* message = nullptr;
          if (natsSubscription_NextMsg(&message, subscription.get(), look_up_every_ms) == NATS_OK) {
            received(message);
            natsMsg_Destroy(message);
          }
        }
      });
}

void FakeStream::set_answer(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

void FakeStream::set_stored(Stored stored) {
  const std::lock_guard lock(mutex_);
  stored_ = std::move(stored);
}

void FakeStream::set_facts(Facts facts) {
  const std::lock_guard lock(mutex_);
  facts_ = std::move(facts);
}

std::vector<PublishedMessage> FakeStream::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

std::vector<std::string> FakeStream::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void FakeStream::received(natsMsg* message) {
  const char* const reply = natsMsg_GetReply(message);
  const std::optional<std::string> answer = answer_to(message);
  if (answer && reply != nullptr) {
    natsConnection_PublishString(connection_.get(), reply, answer->c_str());
  }
}

std::optional<std::string> FakeStream::answer_to(natsMsg* message) {
  const std::string subject = natsMsg_GetSubject(message);
  const std::lock_guard lock(mutex_);
  if (subject == "$JS.API.STREAM.INFO.TELEMETRY") {
    return info_with(facts_, config_);
  }
  if (subject == "$JS.API.STREAM.MSG.GET.TELEMETRY") {
    asked_.push_back(payload_of(message));
    return stored_ ? stored_(asked_.back()) : std::optional(std::string(none_stored));
  }
  const char* id = nullptr;
  natsMsgHeader_Get(message, "Nats-Msg-Id", &id);
  published_.push_back(
      {.subject = subject, .id = id != nullptr ? id : "", .payload = payload_of(message)});
  return answer_(published_.back());
}

}  // namespace meridian::test
