#include "integration/harness/daemon.hpp"

#include <sstream>
#include <stdexcept>
#include <tuple>

#include <signal.h>

namespace meridian::test {

namespace {

Json with(Json json, const Json& changes) {
  json.merge_patch(changes);
  return json;
}

/// The answer to `uplinks`, or nothing while no daemon answers.
std::optional<Json> try_uplinks(const std::string& socket) {
  try {
    return ControlClient(socket).call("uplinks");
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<std::uint16_t> find_port(const Json& listeners, std::string_view name) {
  for (const Json& each : listeners) {
    if (each.at("name") == name) {
      const auto address = each.at("address").get<std::string>();
      return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
    }
  }
  return std::nullopt;
}

constexpr const char* config_name = "meridiand.json";

}  // namespace

Json native_listener(const Json& changes) {
  return with({{"name", "native"}, {"listen", "127.0.0.1:0"}, {"framing", "length_prefixed"}},
              changes);
}

Json packet_listener(const Json& changes) {
  return with({{"name", "packets"},
               {"listen", "127.0.0.1:0"},
               {"framing", "ccsds_space_packet"},
               {"satellite_id", 7}},
              changes);
}

Json config_in(const TempDir& directory, const Json& changes) {
  return with({{"uplinks", {native_listener(), packet_listener()}},
               {"control", {{"socket", directory.file("control.sock")}}}},
              changes);
}

ChildProcess spawn_daemon(const std::string& config_file, const Surroundings& surroundings) {
  ChildProcess::Arguments command = surroundings.through;
  command.insert(command.end(), {meridiand, "--config", config_file});
  ChildProcess::Arguments environment = surroundings.environment;
  std::vector<int> descriptors;
  if (!surroundings.sockets.empty()) {
    std::string names;
    for (const Surroundings::Socket& socket : surroundings.sockets) {
      names += (names.empty() ? "" : ":") + socket.name;
      descriptors.push_back(socket.descriptor);
    }
    environment.push_back("LISTEN_FDS=" + std::to_string(descriptors.size()));
    environment.push_back("LISTEN_FDNAMES=" + names);
    // LISTEN_PID must be the daemon's own process id, which only the process that becomes the
    // daemon knows.
    command.insert(command.begin(), {"sh", "-c", "export LISTEN_PID=$$; exec \"$0\" \"$@\""});
  }
  return ChildProcess(command, environment, descriptors);
}

Daemon::Daemon(const TempDir& directory, const Json& config, const Surroundings& surroundings)
    : directory_(directory),
      socket_(config.at("control").at("socket").get<std::string>()),
      process_(spawn_daemon(directory.write(config_name, config.dump(2)), surroundings)) {
  std::optional<Json> answer;
  const bool ended_or_answers = eventually([&] {
    if (!process_.running()) {
      return true;
    }
    answer = try_uplinks(socket_);
    return answer.has_value();
  });
  if (!ended_or_answers || !answer) {
    throw std::runtime_error("meridiand does not start:\n" + log());
  }
  listeners_ = answer->at("listeners");
}

std::uint16_t Daemon::port(std::string_view listener) const {
  const std::optional<std::uint16_t> port = find_port(listeners_, listener);
  if (!port) {
    throw std::runtime_error("no listener " + std::string(listener));
  }
  return *port;
}

std::optional<std::uint16_t> Daemon::port_now(std::string_view listener) const {
  return find_port(call("uplinks").at("listeners"), listener);
}

void Daemon::configure(const Json& config) const {
  std::ignore = directory_.write(config_name, config.dump(2));
}

Json Daemon::call(std::string_view method, const Json& params) const {
  return connect().call(method, params);
}

std::uint64_t Daemon::stat(const std::string& pointer) const {
  return call("stats").at(Json::json_pointer(pointer)).get<std::uint64_t>();
}

bool Daemon::logged(std::string_view text) const {
  return eventually([&] { return log().find(text) != std::string::npos; },
                    at_most(std::chrono::seconds(1)));
}

int Daemon::stop() {
  process_.signal(SIGTERM);
  return process_.wait();
}

bool balanced(const Json& stats) {
  const Json& ledger = stats.at("ledger");
  std::uint64_t accounted =
      ledger.at("buffered").get<std::uint64_t>() + ledger.at("leased").get<std::uint64_t>() +
      ledger.at("delivered").get<std::uint64_t>() + ledger.at("drained").get<std::uint64_t>() +
      ledger.at("flushed").get<std::uint64_t>();
  for (const Json& dropped : ledger.at("dropped")) {
    accounted += dropped.get<std::uint64_t>();
  }
  return accounted == ledger.at("received").get<std::uint64_t>();
}

Json satellite(const Json& answer, std::uint64_t satellite_id, std::uint64_t channel_id) {
  for (const Json& each : answer.at("satellites")) {
    if (each.at("satellite_id") == satellite_id && each.at("channel_id") == channel_id) {
      return each;
    }
  }
  return nullptr;
}

Json uplink(const Json& answer, const std::string& peer) {
  for (const char* list : {"uplinks", "closed"}) {
    for (const Json& each : answer.at(list)) {
      if (each.at("peer") == peer) {
        return each;
      }
    }
  }
  return nullptr;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

Daemon& DaemonTest::start(const Json& changes, const Surroundings& surroundings) {
  daemon_.emplace(directory_, config_in(directory_, changes), surroundings);
  return *daemon_;
}

Json DaemonTest::reload(const Json& changes) {
  daemon_->configure(config_in(directory_, changes));
  return daemon_->call("reload");
}

Json DaemonTest::send_as_batch(UplinkClient& peer, const std::vector<NativeFrame>& frames) {
  ControlClient control = daemon_->connect();
  const auto frames_read = [](const Json& entry) {
    return entry.is_null() ? 0 : entry.at("frames").get<std::uint64_t>();
  };
  Json entry = uplink(control.call("uplinks"), peer.address());
  const std::uint64_t wanted = frames_read(entry) + frames.size();
  peer.send(frames);
  EXPECT_TRUE(eventually([&] {
    entry = uplink(control.call("uplinks"), peer.address());
    return frames_read(entry) == wanted;
  })) << entry;
  return entry;
}

void DaemonTest::stop() {
  EXPECT_EQ(daemon_->stop(), 0) << daemon_->log();
}

void DaemonTest::TearDown() {
  if (daemon_ && daemon_->process().running()) {
    stop();
  }
  if (daemon_ && HasFailure()) {
    const std::string log = daemon_->log();
    ADD_FAILURE() << "the daemon's log ends in:\n"
                  << log.substr(log.size() - std::min<std::size_t>(log.size(), 4000));
  }
}

}  // namespace meridian::test
