#include "sim/stream_reader.hpp"

#include "nats/connect.hpp"
#include "nats/errors.hpp"
#include "nats/user_info.hpp"
#include "runtime/printable.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace meridian::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int messages_at_once = 64;
constexpr milliseconds fetch_patience{250};
constexpr milliseconds flush_patience{2000};
constexpr milliseconds answer_patience{2000};  // for requests to the cluster

/// The server is pinged this often. The connection counts as broken after this many unanswered
/// pings.
constexpr milliseconds ping_every{2000};
constexpr int unanswered_pings = 2;
constexpr milliseconds reconnect_pause{200};

/// The server removes a consumer of our own that nobody has used for this long. This is needed if
/// we could not remove it ourselves.
constexpr std::chrono::minutes forgotten_after{5};

constexpr milliseconds look_again_after{100};

/// Throws std::runtime_error if a call has failed.
void check(natsStatus status, const std::string& what) {
  if (status != NATS_OK) {
    throw std::runtime_error(fmt::format("{}: {}", what, nats::describe(status)));
  }
}

std::string name_of_our_own() {
  std::random_device random;
  return fmt::format("meridian-sim-{:08x}{:08x}", random(), random());
}

/// The URL without user and password. The library gets them separately, by `set_user`.
std::string shown_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.rfind('@');
  return at == std::string::npos || at < begin ? url : url.substr(0, begin) + url.substr(at + 1);
}

std::string shown_urls(const std::vector<std::string>& urls) {
  std::string text;
  for (const std::string& url : urls) {
    text += (text.empty() ? "" : ", ") + runtime::hide_password(url);
  }
  return text;
}

std::optional<nats::UserInfo> user_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.rfind('@');
  if (at == std::string::npos || at < begin) {
    return std::nullopt;
  }
  const auto read = nats::read_user_info(std::string_view(url).substr(begin, at - begin));
  if (!read) {
    throw std::runtime_error(fmt::format(
        "--server {}: user and password cannot be read; write % as %25", shown_url(url)));
  }
  return read;
}

void set_user(natsOptions* options, const std::vector<std::string>& urls) {
  std::optional<nats::UserInfo> user;
  for (const std::string& url : urls) {
    const auto own = user_of(url);
    if (user && own && *own != *user) {
      throw std::runtime_error("--server: give all servers the same user and password");
    }
    user = own ? own : user;
  }
  if (!user) {
    return;
  }
  check(nats::set_user(options, *user), "--server");
}

nats::OptionsHandle make_options(const ConsumeOptions& options) {
  natsOptions* made = nullptr;
  check(natsOptions_Create(&made), "cannot make options");
  nats::OptionsHandle owned(made);
  std::vector<std::string> urls;
  std::vector<const char*> servers;
  urls.reserve(options.servers.size());
  servers.reserve(options.servers.size());
  for (const std::string& server : options.servers) {
    servers.push_back(urls.emplace_back(shown_url(server)).c_str());
  }
  check(natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())), "--server");
  set_user(made, options.servers);
  if (!options.credentials.empty()) {
    check(natsOptions_SetUserCredentialsFromFiles(made, options.credentials.c_str(), nullptr),
          "--credentials");
  }
  if (!options.tls_ca.empty()) {
    check(natsOptions_SetSecure(made, true), "--tls-ca");
    check(natsOptions_LoadCATrustedCertificates(made, options.tls_ca.c_str()), "--tls-ca");
  }
  check(natsOptions_SetName(made, "meridian-sim consume"), "name");
  constexpr int for_ever = -1;
  check(natsOptions_SetMaxReconnect(made, for_ever), "reconnects");
  check(natsOptions_SetReconnectWait(made, reconnect_pause.count()), "reconnects");
  check(natsOptions_SetPingInterval(made, ping_every.count()), "pings");
  check(natsOptions_SetMaxPingsOut(made, unanswered_pings), "pings");
  return owned;
}

/// Whether a failure may pass on its own. A cluster may have no leader at the moment, or none for
/// this stream or consumer; or it did not answer in time, or there is no connection.
bool may_pass(natsStatus status, jsErrCode code) {
  return code == JSClusterNotAvailErr || code == JSClusterNotLeaderErr ||
         code == JSClusterNoPeersErr || code == JSStreamOfflineErr ||
         code == JSConsumerOfflineErr ||
         (code == 0 && (status == NATS_TIMEOUT || status == NATS_NO_RESPONDERS ||
                        status == NATS_CONNECTION_DISCONNECTED));
}

/// Why an existing consumer cannot be used, or "".
std::string misfit(const jsConsumerConfig& found, const std::string& wanted_subject) {
  const std::string_view filter = found.FilterSubject == nullptr ? "" : found.FilterSubject;
  if (found.DeliverSubject != nullptr && *found.DeliverSubject != '\0') {
    return "it is not a pull consumer";
  }
  if (found.AckPolicy != js_AckExplicit) {
    return "it does not ask for an acknowledgement of each message";
  }
  if (!wanted_subject.empty() && filter != wanted_subject) {
    return fmt::format("it reads {}", filter.empty() ? "all subjects" : filter);
  }
  return "";
}

}  // namespace

StreamReader::StreamReader(const ConsumeOptions& options)
    : stream_(options.stream),
      consumer_(options.durable.empty() ? name_of_our_own() : options.durable),
      consumer_is_ours_(options.durable.empty()) {
  connect(options);
  open_consumer(options);
}

StreamReader::~StreamReader() {
  if (consumer_is_ours_) {
    jsOptions patience;
    jsOptions_Init(&patience);
    patience.Wait = answer_patience.count();
    // If this fails, the server removes the consumer later on its own.
    js_DeleteConsumer(jet_stream_.get(), stream_.c_str(), consumer_.c_str(), &patience, nullptr);
  }
}

void StreamReader::connect(const ConsumeOptions& options) {
  const nats::OptionsHandle with = make_options(options);
  natsConnection* connection = nullptr;
  const natsStatus status = nats::connect(&connection, with.get(), !options.credentials.empty());
  check(status, "cannot connect to " + shown_urls(options.servers));
  connection_.reset(connection);
  jsOptions patience;
  jsOptions_Init(&patience);
  patience.Wait = answer_patience.count();
  jsCtx* jet_stream = nullptr;
  check(natsConnection_JetStream(&jet_stream, connection, &patience), "JetStream");
  jet_stream_.reset(jet_stream);
}

void StreamReader::open_consumer(const ConsumeOptions& options) {
  const auto give_up_at = std::chrono::steady_clock::now() + options.idle_timeout;
  std::string failure = try_to_open_consumer(options);
  while (!failure.empty() && std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::sleep_for(look_again_after);
    failure = try_to_open_consumer(options);
  }
  if (!failure.empty()) {
    throw std::runtime_error(failure);
  }
  jsSubOptions bound;
  jsSubOptions_Init(&bound);
  bound.Stream = stream_.c_str();
  bound.Consumer = consumer_.c_str();
  natsSubscription* subscription = nullptr;
  check(js_PullSubscribe(&subscription, jet_stream_.get(), nullptr, consumer_.c_str(), nullptr,
                         &bound, nullptr),
        fmt::format("cannot read stream {}", stream_));
  subscription_.reset(subscription);
}

/// Returns why the consumer could not be opened now, or "". Throws if it cannot be opened at all.
std::string StreamReader::try_to_open_consumer(const ConsumeOptions& options) {
  jsConsumerInfo* info = nullptr;
  jsErrCode code{};
  natsStatus status = js_GetConsumerInfo(&info, jet_stream_.get(), stream_.c_str(),
                                         consumer_.c_str(), nullptr, &code);
  const nats::ConsumerInfoHandle found(info);
  if (status == NATS_OK) {
    const std::string why = misfit(*found->Config, options.subject);
    if (!why.empty()) {
      throw std::runtime_error(fmt::format("consumer {} cannot be used: {}", consumer_, why));
    }
    return "";
  }
  std::string what = fmt::format("cannot read stream {}", stream_);
  if (code == JSConsumerNotFoundErr) {
    what = fmt::format("cannot make consumer {} of stream {}", consumer_, stream_);
    status = make_consumer(options, code);
  }
  if (status != NATS_OK && !may_pass(status, code)) {
    check(status, what);
  }
  return status == NATS_OK ? "" : fmt::format("{}: {}", what, nats::describe(status));
}

natsStatus StreamReader::make_consumer(const ConsumeOptions& options, jsErrCode& code) {
  jsConsumerConfig config;
  jsConsumerConfig_Init(&config);
  config.Durable = consumer_.c_str();
  config.DeliverPolicy = js_DeliverAll;
  config.AckPolicy = js_AckExplicit;
  config.AckWait = nanoseconds(acknowledged_within).count();
  config.FilterSubject = options.subject.empty() ? nullptr : options.subject.c_str();
  if (consumer_is_ours_) {
    config.InactiveThreshold = nanoseconds(forgotten_after).count();
  }
  jsConsumerInfo* info = nullptr;
  code = {};
  const natsStatus status =
      js_AddConsumer(&info, jet_stream_.get(), stream_.c_str(), &config, nullptr, &code);
  const nats::ConsumerInfoHandle made(info);
  return status;
}

void StreamReader::fetch(nats::MessageList& list) {
  trouble_.clear();
  // The library would keep requests that are made without a connection, and send all of them later.
  if (natsConnection_Status(connection_.get()) != NATS_CONN_STATUS_CONNECTED) {
    trouble_ = "no connection to a server";
    return;
  }
  const natsStatus status = natsSubscription_Fetch(
      list.out(), subscription_.get(), messages_at_once, fetch_patience.count(), nullptr);
  if (status != NATS_OK && status != NATS_TIMEOUT) {
    trouble_ = fmt::format("cannot read from consumer {}: {}", consumer_, nats::describe(status));
  }
}

StreamReader::Left StreamReader::ask_what_is_left() {
  trouble_.clear();
  jsConsumerInfo* info = nullptr;
  const natsStatus status = js_GetConsumerInfo(&info, jet_stream_.get(), stream_.c_str(),
                                               consumer_.c_str(), nullptr, nullptr);
  const nats::ConsumerInfoHandle found(info);
  if (status != NATS_OK) {
    trouble_ = fmt::format("cannot look up consumer {}: {}", consumer_, nats::describe(status));
    return {};
  }
  return {.not_delivered = found->NumPending,
          .not_acknowledged = static_cast<std::uint64_t>(found->NumAckPending)};
}

void StreamReader::acknowledge(natsMsg& message) {
  // If this fails, the server delivers the message again, and the reader recognises its place.
  natsMsg_Ack(&message, nullptr);
}

void StreamReader::flush() {
  natsConnection_FlushTimeout(connection_.get(), flush_patience.count());
}

}  // namespace meridian::sim
