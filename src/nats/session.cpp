#include "nats/session.hpp"

#include "nats/closures.hpp"
#include "nats/connect.hpp"
#include "nats/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace meridian::nats {

namespace {

using Inboxes = Closures<SessionInbox>;

/// The library calls `closed` and `failed`, and keeps the connection alive during the call.
void closed(natsConnection* connection, void* closure) {
  if (const auto inbox = Inboxes::of_process().find(closure)) {
    const char* text = nullptr;
    const natsStatus status = natsConnection_GetLastError(connection, &text);
    const std::string_view why = text != nullptr && *text != '\0' ? text : "the server closed it";
    Refusal refusal = refusal_of(status, 0, why);
    if (refusal != Refusal::authorization && refusal != Refusal::tls) {
      refusal = Refusal::unreachable;
    }
    inbox->lose({refusal, fmt::format("the connection was lost: {}", why)});
  }
}

void failed(natsConnection* connection, natsSubscription* /*subscription*/, natsStatus status,
            void* closure) {
  const auto inbox = Inboxes::of_process().find(closure);
  if (inbox && status == NATS_NOT_PERMITTED) {
    const char* text = nullptr;
    natsConnection_GetLastError(connection, &text);
    inbox->set_violation(text != nullptr ? text : natsStatus_GetText(status));
  }
}

/// Sets options, and keeps the first failure.
class OptionsBuilder {
 public:
  OptionsBuilder() {
    natsOptions* options = nullptr;
    check("cannot make options", natsOptions_Create(&options));
    options_.reset(options);
  }

  [[nodiscard]] natsOptions* get() const noexcept { return options_.get(); }
  [[nodiscard]] const std::optional<Rejection>& failure() const noexcept { return failure_; }

  void check(std::string_view what, natsStatus status) {
    if (status != NATS_OK && !failure_) {
      failure_ = last_rejection(what, status);
    }
  }
  void fail(Rejection why) {
    if (!failure_) {
      failure_ = std::move(why);
    }
  }

 private:
  OptionsHandle options_;
  std::optional<Rejection> failure_;
};

bool readable(const std::string& file) {
  // A directory can be opened, too, but not read.
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) && std::ifstream(file).good();
}

void set_behaviour(OptionsBuilder& builder, const ConnectOptions& options, const ServerUrl& server,
                   void* closure) {
  natsOptions* native = builder.get();
  const auto check = [&](natsStatus status) { builder.check("cannot set options", status); };
  check(natsOptions_SetURL(native, server.shown.c_str()));
  check(natsOptions_SetName(native, options.client_name.c_str()));
  check(natsOptions_SetAllowReconnect(native, false));
  check(natsOptions_SetTimeout(native, Session::connect_timeout.count()));
  check(natsOptions_SetWriteDeadline(native, Session::write_deadline.count()));
  check(natsOptions_SetPingInterval(native, Session::ping_interval.count()));
  check(natsOptions_SetMaxPingsOut(native, 2));
  check(natsOptions_SetFailRequestsOnDisconnect(native, true));
  check(natsOptions_SetClosedCB(native, closed, closure));
  check(natsOptions_SetErrorHandler(native, failed, closure));
}

void set_security(OptionsBuilder& builder, const ConnectOptions& options, const ServerUrl& server) {
  natsOptions* native = builder.get();
  if (server.user_info) {
    builder.check("cannot use user and password", set_user(native, *server.user_info));
  }
  if (!options.credentials.empty()) {
    if (!readable(options.credentials)) {
      builder.fail({Refusal::authorization,
                    fmt::format("cannot read the credentials in {}", options.credentials)});
    }
    builder.check("cannot use credentials", natsOptions_SetUserCredentialsFromFiles(
                                                native, options.credentials.c_str(), nullptr));
  }
  if (!options.tls.enabled && !server.tls) {
    return;
  }
  builder.check("cannot use TLS", natsOptions_SetSecure(native, true));
  builder.check("cannot set the name to expect in certificates",
                natsOptions_SetExpectedHostname(native, server.host.c_str()));
  if (!options.tls.ca_file.empty()) {
    builder.check(fmt::format("cannot use the certificates in {}", options.tls.ca_file),
                  natsOptions_LoadCATrustedCertificates(native, options.tls.ca_file.c_str()));
  }
  if (!options.tls.certificate_file.empty()) {
    builder.check(fmt::format("cannot use the client certificate in {} with the key in {}",
                              options.tls.certificate_file, options.tls.key_file),
                  natsOptions_LoadCertificatesChain(native, options.tls.certificate_file.c_str(),
                                                    options.tls.key_file.c_str()));
  }
}

/// Classifies failures to connect for which the library has no status of its own.
void interpret(Rejection& failure, bool with_tls) {
  if (with_tls && failure.text.ends_with("got ''")) {
    // With TLS 1.3 our side finishes the handshake before the server has checked our certificate.
    failure.refusal = Refusal::tls;
    failure.text += " (the server may require a client certificate, or a different one)";
  } else if (failure.refusal == Refusal::no_acknowledgement || failure.refusal == Refusal::other) {
    failure.refusal = Refusal::unreachable;  // a silent server was not reached, either
  }
}

Result<std::shared_ptr<Session>> connect_to(const ConnectOptions& options,
                                            const ServerUrl& server) {
  auto inbox = std::make_shared<SessionInbox>();
  void* closure = Inboxes::of_process().add(inbox);
  OptionsBuilder builder;
  if (!builder.failure()) {
    set_behaviour(builder, options, server, closure);
    set_security(builder, options, server);
  }
  std::optional<Rejection> failure = builder.failure();
  natsConnection* connection = nullptr;
  if (!failure) {
    const natsStatus status =
        nats::connect(&connection, builder.get(), !options.credentials.empty());
    if (status != NATS_OK) {
      failure = last_rejection("cannot connect to " + server.shown, status);
      interpret(*failure, options.tls.enabled || server.tls);
    }
  }
  if (failure) {
    Inboxes::of_process().remove(closure);
    return *failure;
  }
  return std::make_shared<Session>(ConnectionHandle(connection), server, std::move(inbox), closure);
}

}  // namespace

Result<std::shared_ptr<Session>> Session::connect(const ConnectOptions& options,
                                                  const std::stop_token& stop) {
  std::vector<std::string> urls = options.servers;
  std::ranges::shuffle(urls, std::minstd_rand(std::random_device{}()));
  Rejection all{Refusal::unreachable, ""};
  for (const std::string& url : urls) {
    if (stop.stop_requested()) {
      break;
    }
    const std::optional<ServerUrl> server = read_server_url(url);
    // The text does not show the URL, which may have a password.
    Rejection why{Refusal::other, "a server's URL cannot be read"};
    if (server) {
      Result<std::shared_ptr<Session>> session = connect_to(options, *server);
      if (session) {
        return session;
      }
      why = session.error();
    }
    if (all.refusal == Refusal::unreachable) {
      all.refusal = why.refusal;
    }
    all.text += (all.text.empty() ? "" : "; ") + why.text;
  }
  return all;
}

Session::Session(ConnectionHandle connection, ServerUrl server, std::shared_ptr<SessionInbox> inbox,
                 void* closure)
    : connection_(std::move(connection)),
      server_(std::move(server)),
      inbox_(std::move(inbox)),
      closure_(closure) {}

Session::~Session() {
  Inboxes::of_process().remove(closure_);
}

void Session::serve(const std::stop_token& stop) {
  for (auto job = inbox_->next(stop); job; job = inbox_->next(stop)) {
    (*job)(*this);
  }
  natsConnection_Close(native());
  const Rejection why = inbox_->lost().value();
  for (const SessionInbox::WhenLost& when_lost : inbox_->take_watchers()) {
    when_lost(why);
  }
}

bool Session::cut() const {
  const char* text = nullptr;
  const natsStatus status = natsConnection_GetLastError(native(), &text);
  return status != NATS_OK && status != NATS_NOT_PERMITTED;
}

}  // namespace meridian::nats
