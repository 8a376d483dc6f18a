#include "integration/harness/test_sink.hpp"

#include "sink/type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include <stdlib.h>

namespace meridian::test {

namespace {

/// The library takes some 6 s to notice that a server does not answer, and pauses grow to 10 s.
const std::chrono::milliseconds patience_for_sinks = at_most(std::chrono::seconds(40));

std::string fate_of(const sink::jetstream::Outcome& outcome) {
  if (const auto* why = std::get_if<nats::Rejection>(&outcome.result)) {
    return std::string(name_of(why->refusal));
  }
  return std::get<sink::jetstream::Acknowledged>(outcome.result).duplicate ? "duplicate"
                                                                           : "acknowledged";
}

StoredMessage stored_message(natsMsg* message) {
  StoredMessage stored{.subject = natsMsg_GetSubject(message), .headers = {}, .octets = {}};
  stored.octets.assign(natsMsg_GetData(message),
                       static_cast<std::size_t>(natsMsg_GetDataLength(message)));
  const char** names = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &names, &count) == NATS_OK) {
    for (int i = 0; i < count; ++i) {
      const char* value = nullptr;
      natsMsgHeader_Get(message, names[i], &value);
      stored.headers[names[i]] = value;
    }
    free(names);
  }
  return stored;
}

}  // namespace

sink::Options sink_options(std::vector<std::string> servers) {
  return {.name = "test",
          .type = sink::types().front(),
          .jetstream = {.servers = std::move(servers), .stream = "TELEMETRY"}};
}

std::shared_ptr<nats::Session> connect(const sink::Options& options) {
  auto session = nats::Session::connect(options.jetstream.connection(options.name));
  if (!session) {
    throw std::runtime_error(session.error().text);
  }
  return *session;
}

void create_stream(const sink::Options& options, std::uint32_t replicas) {
  const auto created =
      sink::jetstream::create_stream(*connect(options), options, {.replicas = replicas});
  if (!created) {
    throw std::runtime_error(created.error().text);
  }
}

void add_stream(const sink::Options& options, const std::string& name, const std::string& subject,
                const std::function<void(jsStreamConfig&)>& change) {
  const auto session = connect(options);
  jsCtx* context = nullptr;
  natsConnection_JetStream(&context, session->native(), nullptr);
  const nats::JetStreamHandle owner(context);
  const char* subjects = subject.c_str();
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = name.c_str();
  config.Subjects = &subjects;
  config.SubjectsLen = 1;
  if (change) {
    change(config);
  }
  jsErrCode code{};
  const natsStatus status = js_AddStream(nullptr, context, &config, nullptr, &code);
  if (status != NATS_OK) {
    throw std::runtime_error(fmt::format("stream {}: {}", name, nats_GetLastError(nullptr)));
  }
}

void change_stream(const sink::Options& options,
                   const std::function<void(jsStreamConfig&)>& change) {
  const auto session = connect(options);
  jsCtx* context = nullptr;
  natsConnection_JetStream(&context, session->native(), nullptr);
  const nats::JetStreamHandle owner(context);
  jsStreamInfo* info = nullptr;
  natsStatus status =
      js_GetStreamInfo(&info, context, options.jetstream.stream.c_str(), nullptr, nullptr);
  const nats::StreamInfoHandle info_owner(info);
  if (status == NATS_OK) {
    jsStreamConfig config = *info->Config;
    change(config);
    status = js_UpdateStream(nullptr, context, &config, nullptr, nullptr);
  }
  if (status != NATS_OK) {
    throw std::runtime_error(
        fmt::format("stream {}: {}", options.jetstream.stream, nats_GetLastError(nullptr)));
  }
}

sink::Message message_of(std::string id, std::uint64_t first, std::uint32_t frames,
                         std::size_t payload_bytes) {
  FrameBatchBuilder builder;
  std::vector<std::byte> payload(payload_bytes);
  for (std::uint32_t i = 0; i < frames; ++i) {
    std::ranges::fill(payload, static_cast<std::byte>(first + i));
    builder.append({.origin = {7, 3}, .sequence = first + i}, payload);
  }
  std::vector<FrameBatch> parts;
  parts.push_back(builder.finish({}).value());
  return sink::make_message(std::move(id), std::move(parts));
}

std::vector<StoredMessage> stored_in(const sink::Options& options) {
  const auto session = connect(options);
  const auto report = sink::jetstream::check_stream(*session, options);
  if (!report) {
    throw std::runtime_error(report.error().text);
  }
  jsCtx* context = nullptr;
  natsConnection_JetStream(&context, session->native(), nullptr);
  const nats::JetStreamHandle owner(context);
  std::vector<StoredMessage> stored;
  for (std::uint64_t sequence = 1; stored.size() < report->messages; ++sequence) {
    natsMsg* message = nullptr;
    jsErrCode code{};
    const natsStatus status =
        js_GetMsg(&message, context, options.jetstream.stream.c_str(), sequence, nullptr, &code);
    if (status != NATS_OK) {
      throw std::runtime_error(fmt::format("message {}: {}", sequence, natsStatus_GetText(status)));
    }
    stored.push_back(stored_message(message));
    natsMsg_Destroy(message);
  }
  return stored;
}

TestSink::TestSink(const sink::Options& options) {
  const auto on_change = [this](const nats::ConnectionState& state) {
    const std::lock_guard lock(mutex_);
    states_.push_back(state);
  };
  const auto on_outcome = [this](const sink::jetstream::Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_.push_back(outcome);
  };
  connection_ = std::make_unique<nats::Connection>(options.jetstream.connection(options.name),
                                                   threads_.get_executor(), on_change);
  publisher_ = std::make_unique<sink::jetstream::Publisher>(*connection_, options,
                                                            threads_.get_executor(), on_outcome);
}

TestSink::~TestSink() {
  end();
}

void TestSink::end() {
  publisher_.reset();
  connection_.reset();
  threads_.join();
}

sink::Ticket TestSink::publish(const sink::Message& message) {
  publisher_->publish(message, next_);
  return next_++;
}

bool TestSink::connected() {
  return eventually([this] { return connection_->session() != nullptr; }, patience_for_sinks);
}

sink::jetstream::Outcome TestSink::outcome(sink::Ticket ticket) {
  std::optional<sink::jetstream::Outcome> found;
  const bool came = eventually(
      [&] {
        const std::lock_guard lock(mutex_);
        const auto at = std::ranges::find(outcomes_, ticket, &sink::jetstream::Outcome::ticket);
        if (at != outcomes_.end()) {
          found = *at;
        }
        return found.has_value();
      },
      patience_for_sinks);
  if (!came) {
    throw std::runtime_error(fmt::format("ticket {} has no outcome", ticket));
  }
  return *found;
}

std::string TestSink::fate(sink::Ticket ticket) {
  return fate_of(outcome(ticket));
}

std::map<std::string, std::size_t> TestSink::fates() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::size_t> fates;
  for (const sink::jetstream::Outcome& each : outcomes_) {
    ++fates[fate_of(each)];
  }
  return fates;
}

bool TestSink::settled() {
  return eventually(
      [this] {
        const std::lock_guard lock(mutex_);
        return outcomes_.size() >= next_;
      },
      patience_for_sinks);
}

std::map<sink::Ticket, std::size_t> TestSink::counts() {
  const std::lock_guard lock(mutex_);
  std::map<sink::Ticket, std::size_t> counts;
  for (const sink::jetstream::Outcome& each : outcomes_) {
    ++counts[each.ticket];
  }
  return counts;
}

std::vector<nats::ConnectionState> TestSink::states() {
  const std::lock_guard lock(mutex_);
  return states_;
}

std::string TestSink::refused_as(nats::Refusal refusal) {
  std::string text;
  const bool came = eventually(
      [&] {
        for (const nats::ConnectionState& state : states()) {
          const auto* why = std::get_if<nats::Rejection>(&state);
          if (why != nullptr && why->refusal == refusal) {
            text = why->text;
            return true;
          }
        }
        return false;
      },
      patience_for_sinks);
  if (!came) {
    throw std::runtime_error(fmt::format("never refused as {}", name_of(refusal)));
  }
  return text;
}

}  // namespace meridian::test
