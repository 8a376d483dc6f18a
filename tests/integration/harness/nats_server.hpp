/// Real NATS servers.
#pragma once

#include "integration/harness/bound_socket.hpp"
#include "integration/harness/child_process.hpp"
#include "integration/harness/temp_dir.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::test {

/// The path of nats-server; no value if it is not installed.
[[nodiscard]] std::optional<std::string> find_nats_server();

struct NatsConfig {
  std::string name = "one";
  bool jet_stream = true;
  std::string max_file_store = "1GB";
  std::string lines = {};  ///< more configuration, in the server's own language
};

/// A server, by default with JetStream. It has ports of 127.0.0.1 and a directory of its own as
/// long as this object lives, and finds both again after a stop or a crash. Not thread-safe.
class NatsServer {
 public:
  /// Does not start the server.
  explicit NatsServer(NatsConfig config = {});

  /// Starts the server, and waits until it is healthy, with JetStream and its streams. If it does
  /// not become healthy, throws std::runtime_error with the server's log.
  void start();

  /// Starts the server, and does not wait.
  void spawn();
  void wait_healthy();

  /// Ends the server as a service manager does.
  void stop();
  /// Ends the server without a warning.
  void kill();
  /// Until `resume`, the server neither reads nor answers. Its connections stay open.
  void halt();
  void resume();

  /// "nats://127.0.0.1:43210". If `user` is "user:password", that is in front of the host.
  [[nodiscard]] std::string url(std::string_view user = "", std::string_view scheme = "nats") const;
  [[nodiscard]] std::uint16_t port() const { return client_port_.port(); }
  [[nodiscard]] std::uint16_t route_port() const { return route_port_.port(); }
  [[nodiscard]] const std::string& name() const noexcept { return config_.name; }

  /// Replaces `NatsConfig::lines`, for the next start.
  void configure(std::string lines) { config_.lines = std::move(lines); }

  /// What the server's monitoring answers at a path such as "/jsz"; null while it does not answer.
  [[nodiscard]] nlohmann::json monitor(std::string_view path) const;
  [[nodiscard]] std::string log() const { return process_ ? process_->err() : ""; }
  /// The directory where the server stores its data, and tests store their certificates.
  [[nodiscard]] const TempDir& directory() const noexcept { return directory_; }

 private:
  [[nodiscard]] std::string configuration() const;
  [[nodiscard]] bool healthy() const;

  NatsConfig config_;
  TempDir directory_;
  BoundSocket client_port_ = BoundSocket::reserved_port();
  BoundSocket route_port_ = BoundSocket::reserved_port();
  BoundSocket monitor_port_ = BoundSocket::reserved_port();
  std::unique_ptr<ChildProcess> process_;
};

/// A cluster of three servers with JetStream.
class NatsCluster {
 public:
  /// Starts the servers, and waits until they have a leader and all are current.
  NatsCluster();

  [[nodiscard]] NatsServer& at(std::size_t index) { return *servers_.at(index); }
  [[nodiscard]] NatsServer& named(std::string_view name);
  [[nodiscard]] std::vector<std::string> urls() const;

  /// The name of the server that leads a stream; "" while the stream has no leader.
  [[nodiscard]] std::string leader_of(std::string_view stream) const;

  /// Waits until all three servers run and are up to date with their leader.
  void wait_current();

 private:
  [[nodiscard]] bool current() const;

  std::array<std::unique_ptr<NatsServer>, 3> servers_;
};

/// A test with NATS servers. Skipped if nats-server is not installed.
class NatsTest : public testing::Test {
 protected:
  void SetUp() override;
};

}  // namespace meridian::test
