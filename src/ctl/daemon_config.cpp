#include "ctl/daemon_config.hpp"

#include "config/error.hpp"
#include "config/file.hpp"
#include "config/reader.hpp"
#include "runtime/default_socket.hpp"
#include "sink/keys.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/un.h>
#include <unistd.h>

namespace meridian::ctl {

std::string socket_of_the_daemon() {
  const auto file = config::find_file(std::nullopt);
  if (!file) {
    return runtime::default_socket();
  }
  // The service's configuration may hold a password. Then not every user can read it.
  if (::access(file->c_str(), R_OK) != 0) {
    return runtime::socket_of_the_service;
  }
  try {
    const nlohmann::json json = config::read_file(*file);
    std::string socket;
    if (const auto control = json.find("control"); control != json.end()) {
      config::Reader(*control, "control").read("socket", socket);
    }
    if (!socket.empty() && socket.size() < sizeof(sockaddr_un::sun_path)) {
      return socket;
    }
  } catch (const config::Error&) {
    // A running daemon keeps the configuration that it had, and `reload` says what is wrong with
    // the file.
  }
  return runtime::default_socket();
}

std::vector<sink::Options> configured_sinks(const std::optional<std::filesystem::path>& given) {
  const auto file = config::find_file(given);
  if (!file) {
    return {};
  }
  const nlohmann::json json = config::read_file(*file);
  try {
    config::Reader root(json, "");
    const nlohmann::json* const sinks = root.find("sinks");
    return sinks == nullptr ? std::vector<sink::Options>{} : sink::read_sinks(root, *sinks);
  } catch (const config::Error& error) {
    throw config::Error(fmt::format("{}: {}", file->string(), error.what()));
  }
}

}  // namespace meridian::ctl
