#include "integration/harness/nats_server.hpp"

#include "integration/harness/stream_socket.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include <signal.h>

namespace meridian::test {

using nlohmann::json;

namespace {

/// A server is up in a quarter of a second, and a cluster has a leader in some five seconds.
const std::chrono::milliseconds patience_for_servers = at_most(std::chrono::seconds(60));

}  // namespace

std::optional<std::string> find_nats_server() {
  const char* path = std::getenv("PATH");
  std::istringstream directories(std::string(path != nullptr ? path : "") + ":/usr/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    const auto file = std::filesystem::path(directory) / "nats-server";
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored)) {
      return file.string();
    }
  }
  return std::nullopt;
}

NatsServer::NatsServer(NatsConfig config) : config_(std::move(config)) {}

std::string NatsServer::configuration() const {
  std::string text = fmt::format(
      "server_name: {}\n"
      "listen: \"{}\"\n"
      "http: \"{}\"\n",
      config_.name, client_port_.address(), monitor_port_.address());
  if (config_.jet_stream) {
    text += fmt::format("jetstream {{ store_dir: \"{}\", max_file_store: {} }}\n",
                        directory_.file("store"), config_.max_file_store);
  }
  return text + config_.lines;
}

void NatsServer::spawn() {
  const std::string file = directory_.write("nats.conf", configuration());
  process_ = std::make_unique<ChildProcess>(
      ChildProcess::Arguments{find_nats_server().value(), "--config", file});
}

void NatsServer::start() {
  spawn();
  wait_healthy();
}

void NatsServer::wait_healthy() {
  const bool ended_or_healthy =
      eventually([this] { return !process_->running() || healthy(); }, patience_for_servers);
  if (!ended_or_healthy || !process_->running()) {
    throw std::runtime_error("nats-server does not start:\n" + log());
  }
}

void NatsServer::stop() {
  process_->signal(SIGTERM);
  process_->wait();
}

void NatsServer::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

void NatsServer::halt() {
  process_->signal(SIGSTOP);
  if (!eventually([this] { return process_->halted(); })) {
    throw std::runtime_error("nats-server does not halt");
  }
}

void NatsServer::resume() {
  process_->signal(SIGCONT);
}

std::string NatsServer::url(std::string_view user, std::string_view scheme) const {
  return fmt::format("{}://{}{}{}", scheme, user, user.empty() ? "" : "@", client_port_.address());
}

json NatsServer::monitor(std::string_view path) const {
  try {
    StreamSocket socket(monitor_port_.port());
    socket.send(fmt::format("GET {} HTTP/1.0\r\n\r\n", path));
    const std::string answer = socket.read_to_end();
    const std::size_t body = answer.find("\r\n\r\n");
    return json::parse(body == std::string::npos ? "" : answer.substr(body + 4), nullptr, false);
  } catch (const std::exception&) {
    return nullptr;
  }
}

bool NatsServer::healthy() const {
  const json health = monitor("/healthz");
  return health.is_object() && health.value("status", "") == "ok";
}

NatsCluster::NatsCluster() {
  constexpr std::array names = {"one", "two", "three"};
  std::vector<std::string> routes;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    servers_.at(i) = std::make_unique<NatsServer>(NatsConfig{.name = names.at(i)});
    routes.push_back(fmt::format("\"nats://127.0.0.1:{}\"", servers_.at(i)->route_port()));
  }
  for (const auto& server : servers_) {
    server->configure(
        fmt::format("cluster {{ name: meridian, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
                    server->route_port(), fmt::join(routes, ", ")));
    server->spawn();
  }
  wait_current();
}

NatsServer& NatsCluster::named(std::string_view name) {
  for (const auto& server : servers_) {
    if (server->name() == name) {
      return *server;
    }
  }
  throw std::runtime_error(fmt::format("no server {}", name));
}

std::vector<std::string> NatsCluster::urls() const {
  std::vector<std::string> urls;
  for (const auto& server : servers_) {
    urls.push_back(server->url());
  }
  return urls;
}

std::string NatsCluster::leader_of(std::string_view stream) const {
  // Only the leader's own answer counts: the others may not know yet that it is gone.
  for (const auto& server : servers_) {
    const json answer = server->monitor("/jsz?streams=true");
    for (const json& account :
         answer.is_object() ? answer.value("account_details", json::array()) : json::array()) {
      for (const json& each : account.value("stream_detail", json::array())) {
        const json cluster = each.value("cluster", json::object());
        if (each.value("name", "") == stream && cluster.value("leader", "") == server->name()) {
          return server->name();
        }
      }
    }
  }
  return "";
}

bool NatsCluster::current() const {
  std::size_t leaders = 0;
  for (const auto& server : servers_) {
    const json health = server->monitor("/healthz");
    if (!health.is_object() || health.value("status", "") != "ok") {
      return false;
    }
    const json answer = server->monitor("/jsz");
    const json meta = answer.is_object() ? answer.value("meta_cluster", json::object()) : json();
    if (!meta.is_object() || meta.value("leader", "") != server->name()) {
      continue;
    }
    ++leaders;
    std::size_t others = 0;
    for (const json& replica : meta.value("replicas", json::array())) {
      others += replica.value("current", false) && !replica.value("offline", false) ? 1U : 0U;
    }
    if (others + 1 < servers_.size()) {
      return false;
    }
  }
  return leaders == 1;
}

void NatsCluster::wait_current() {
  if (!eventually([this] { return current(); }, patience_for_servers)) {
    throw std::runtime_error("the cluster does not come up:\n" + servers_.front()->log());
  }
}

void NatsTest::SetUp() {
  if (!find_nats_server()) {
    GTEST_SKIP() << "nats-server is not installed";
  }
}

}  // namespace meridian::test
