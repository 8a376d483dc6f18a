/// A meridiand under test.
#pragma once

#include "integration/harness/child_process.hpp"
#include "integration/harness/clients.hpp"
#include "integration/harness/temp_dir.hpp"
#include "places.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

/// The paths of the programs.
inline const std::string meridiand = program("meridiand");
inline const std::string meridianctl = program("meridianctl");
inline const std::string meridian_sim = program("meridian-sim");

/// The entry of a listener on a port that the system chooses, with `changes` to the defaults.
[[nodiscard]] Json native_listener(const Json& changes = Json::object());
[[nodiscard]] Json packet_listener(const Json& changes = Json::object());

/// A configuration with both listeners and a control socket in `directory`, with `changes` (a JSON
/// merge patch).
[[nodiscard]] Json config_in(const TempDir& directory, const Json& changes = Json::object());

/// What a service manager gives a daemon, in addition to its configuration.
struct Surroundings {
  /// Inherited sockets, by their names.
  struct Socket {
    std::string name;
    int descriptor;
  };
  ChildProcess::Arguments environment = {};
  std::vector<Socket> sockets = {};
  /// A program, with its options, that executes the daemon in its own place. Empty: none.
  ChildProcess::Arguments through = {};
};

/// Starts a daemon, and does not wait until it is up.
[[nodiscard]] ChildProcess spawn_daemon(const std::string& config_file,
                                        const Surroundings& surroundings = {});

/// A running daemon. The destructor kills it unless it was stopped.
class Daemon {
 public:
  /// Starts the daemon and waits until it answers. If it does not answer, throws std::runtime_error
  /// with the daemon's log.
  Daemon(const TempDir& directory, const Json& config, const Surroundings& surroundings = {});

  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }
  /// The port that the listener with that name had after the start.
  [[nodiscard]] std::uint16_t port(std::string_view listener = "native") const;
  /// The port that a listener has now; no value if there is no such listener.
  [[nodiscard]] std::optional<std::uint16_t> port_now(std::string_view listener) const;

  /// Writes another configuration, for the next reload.
  void configure(const Json& config) const;

  [[nodiscard]] ControlClient connect() const { return ControlClient(socket_); }
  /// Makes a request over a connection of its own, and returns its result.
  [[nodiscard]] Json call(std::string_view method, const Json& params = Json::object()) const;
  /// A number in the answer to `stats`, such as "/ledger/received".
  [[nodiscard]] std::uint64_t stat(const std::string& pointer) const;

  [[nodiscard]] std::string log() const { return process_.err(); }
  /// Whether the daemon has logged `text`, or does so soon. It writes log lines with some delay.
  [[nodiscard]] bool logged(std::string_view text) const;
  [[nodiscard]] ChildProcess& process() noexcept { return process_; }

  /// Stops the daemon with SIGTERM, and returns its exit status.
  int stop();

 private:
  const TempDir& directory_;
  std::string socket_;
  ChildProcess process_;
  Json listeners_;
};

/// Whether the ledger in an answer to `stats` balances: received = buffered + leased + delivered +
/// drained + flushed + dropped.
[[nodiscard]] bool balanced(const Json& stats);

/// The entry of a satellite in the answer to `satellites`, or null.
[[nodiscard]] Json satellite(const Json& answer, std::uint64_t satellite_id,
                             std::uint64_t channel_id = 0);

/// The entry of a peer in the answer to `uplinks`, open or closed, or null.
[[nodiscard]] Json uplink(const Json& answer, const std::string& peer);

/// The lines of a text.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

/// A test with one daemon. Every test also checks its orderly stop.
class DaemonTest : public testing::Test {
 protected:
  Daemon& start(const Json& changes = Json::object(), const Surroundings& surroundings = {});
  Daemon& daemon() { return *daemon_; }
  [[nodiscard]] const TempDir& directory() const noexcept { return directory_; }

  /// Reloads another configuration and returns the answer.
  Json reload(const Json& changes);

  /// Sends frames, and waits until their session has read them. So they are one batch, unless they
  /// do not fit into one read. Returns the uplink's entry in `uplinks` after that.
  Json send_as_batch(UplinkClient& peer, const std::vector<NativeFrame>& frames);

  /// Stops the daemon and expects exit status 0.
  void stop();

  void TearDown() override;

 private:
  TempDir directory_;
  std::optional<Daemon> daemon_;
};

}  // namespace meridian::test
