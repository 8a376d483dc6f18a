#include "integration/harness/stream_client.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace meridian::test {

namespace {

void require_ok(natsStatus status, const char* what) {
  if (status != NATS_OK) {
    const char* const detail = nats_GetLastError(nullptr);
    throw std::runtime_error(fmt::format("{}: {}: {}", what, natsStatus_GetText(status),
                                         detail == nullptr ? "" : detail));
  }
}

}  // namespace

StreamMessage message_of(const std::vector<NativeFrame>& frames, const std::string& id) {
  const NativeFrame& first = frames.front();
  const NativeFrame& last = frames.back();
  const std::string own_id = fmt::format("{}-{}-{}-{}", first.satellite_id, first.channel_id,
                                         first.sequence, frames.size());
  return {.payload = encode(frames),
          .headers = {{"Nats-Msg-Id", id.empty() ? own_id : id},
                      {"Meridian-Frames", std::to_string(frames.size())},
                      {"Meridian-First-Sequence", std::to_string(first.sequence)},
                      {"Meridian-Last-Sequence", std::to_string(last.sequence)},
                      {"Meridian-First-Received-At", "2026-11-24T10:00:00.000000Z"},
                      {"Meridian-Last-Received-At", "2026-11-24T10:00:00.250000Z"}}};
}

StreamClient::StreamClient(const std::string& url, const std::string& credentials) {
  natsOptions* made = nullptr;
  require_ok(natsOptions_Create(&made), "make options");
  const std::unique_ptr<natsOptions, Destroy<natsOptions_Destroy>> options(made);
  require_ok(natsOptions_SetURL(made, url.c_str()), "URL");
  if (!credentials.empty()) {
    require_ok(natsOptions_SetUserCredentialsFromFiles(made, credentials.c_str(), nullptr),
               "credentials");
  }
  natsConnection* connection = nullptr;
  natsStatus status = natsConnection_Connect(&connection, made);
  // The library (3.4.1) leaves out one signature in 256.
  for (int more = 2; more > 0 && status == NATS_CONNECTION_AUTH_FAILED; --more) {
    status = natsConnection_Connect(&connection, made);
  }
  require_ok(status, "connect");
  connection_.reset(connection);
  jsCtx* jet_stream = nullptr;
  require_ok(natsConnection_JetStream(&jet_stream, connection, nullptr), "JetStream");
  jet_stream_.reset(jet_stream);
}

void StreamClient::make_stream(const std::string& stream, int replicas) {
  const std::string subject = stream + ".>";
  const char* const subjects[] = {subject.c_str()};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = stream.c_str();
  config.Subjects = const_cast<const char**>(subjects);
  config.SubjectsLen = 1;
  config.Replicas = replicas;
  require_ok(js_AddStream(nullptr, jet_stream_.get(), &config, nullptr, nullptr), "make a stream");
}

void StreamClient::publish(const std::string& stream, const std::vector<StreamMessage>& messages,
                           const std::string& subject) {
  const std::string whole_subject = stream + "." + subject;
  for (const StreamMessage& message : messages) {
    natsMsg* made = nullptr;
    require_ok(natsMsg_Create(&made, whole_subject.c_str(), nullptr, message.payload.data(),
                              static_cast<int>(message.payload.size())),
               "make a message");
    for (const auto& [name, value] : message.headers) {
      require_ok(natsMsgHeader_Set(made, name.c_str(), value.c_str()), "set a header");
    }
    jsPubAck* acknowledgement = nullptr;
    const natsStatus status =
        js_PublishMsg(&acknowledgement, jet_stream_.get(), made, nullptr, nullptr);
    natsMsg_Destroy(made);
    const bool repeated = acknowledgement != nullptr && acknowledgement->Duplicate;
    jsPubAck_Destroy(acknowledgement);
    require_ok(status, "publish");
    if (repeated) {
      throw std::runtime_error("the server has a message with this id");
    }
  }
}

void StreamClient::make_consumer(const std::string& stream, const std::string& consumer,
                                 std::chrono::nanoseconds ack_wait, const std::string& deliver_to) {
  jsConsumerConfig config;
  jsConsumerConfig_Init(&config);
  config.Durable = consumer.c_str();
  config.AckPolicy = js_AckExplicit;
  config.AckWait = ack_wait.count();
  config.DeliverSubject = deliver_to.empty() ? nullptr : deliver_to.c_str();
  require_ok(js_AddConsumer(nullptr, jet_stream_.get(), stream.c_str(), &config, nullptr, nullptr),
             "make a consumer");
}

void StreamClient::remove_consumer(const std::string& stream, const std::string& consumer) {
  require_ok(
      js_DeleteConsumer(jet_stream_.get(), stream.c_str(), consumer.c_str(), nullptr, nullptr),
      "remove a consumer");
}

std::optional<ConsumerState> StreamClient::consumer(const std::string& stream,
                                                    const std::string& consumer) {
  jsConsumerInfo* info = nullptr;
  const natsStatus status = js_GetConsumerInfo(&info, jet_stream_.get(), stream.c_str(),
                                               consumer.c_str(), nullptr, nullptr);
  if (status == NATS_NOT_FOUND || status == NATS_TIMEOUT) {
    return std::nullopt;
  }
  require_ok(status, "ask for a consumer");
  const ConsumerState state{.not_delivered = info->NumPending,
                            .not_acknowledged = static_cast<std::uint64_t>(info->NumAckPending),
                            .all_acknowledged_up_to = info->AckFloor.Stream};
  jsConsumerInfo_Destroy(info);
  return state;
}

std::vector<std::string> StreamClient::consumers(const std::string& stream) {
  jsConsumerNamesList* list = nullptr;
  const natsStatus status =
      js_ConsumerNames(&list, jet_stream_.get(), stream.c_str(), nullptr, nullptr);
  if (status == NATS_NOT_FOUND) {
    return {};
  }
  require_ok(status, "ask for consumers");
  std::vector<std::string> names(list->List, list->List + list->Count);
  jsConsumerNamesList_Destroy(list);
  return names;
}

void StreamClient::fetch_and_forget(const std::string& stream, const std::string& consumer,
                                    int count) {
  jsSubOptions bound;
  jsSubOptions_Init(&bound);
  bound.Stream = stream.c_str();
  bound.Consumer = consumer.c_str();
  natsSubscription* subscription = nullptr;
  require_ok(js_PullSubscribe(&subscription, jet_stream_.get(), nullptr, consumer.c_str(), nullptr,
                              &bound, nullptr),
             "subscribe");
  natsMsgList list{};
  const natsStatus status = natsSubscription_Fetch(&list, subscription, count, 5'000, nullptr);
  const int fetched = list.Count;
  natsMsgList_Destroy(&list);
  natsSubscription_Destroy(subscription);
  require_ok(status, "fetch");
  if (fetched != count) {
    throw std::runtime_error(fmt::format("fetched {} messages instead of {}", fetched, count));
  }
}

}  // namespace meridian::test
