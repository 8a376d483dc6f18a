#include "daemon/secrets.hpp"

#include "runtime/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include <sys/stat.h>

namespace meridian::daemon {

namespace {

void look_at(const std::string& file, std::string_view what, std::vector<std::string>& out) {
  constexpr mode_t permissions = 07777;
  struct stat status{};
  if (!file.empty() && ::stat(file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    out.push_back(fmt::format(
        "{} holds {}, and every user of this machine can read it (mode {:04o}): chmod o-rwx, and "
        "give it to the daemon's user or group",
        file, what, status.st_mode & permissions));
  }
}

bool has_password(const sink::Options& sink) {
  return std::ranges::any_of(
      sink.servers, [](const std::string& url) { return url.find('@') != std::string::npos; });
}

}  // namespace

std::vector<std::string> open_secrets(const Config& config) {
  std::vector<std::string> open;
  if (std::ranges::any_of(config.sinks, has_password)) {
    look_at(config.file.string(), "a password", open);
  }
  for (const sink::Options& sink : config.sinks) {
    look_at(sink.credentials, fmt::format("the credentials of sink {}", sink.name), open);
    look_at(sink.tls.key_file, fmt::format("the private key of sink {}", sink.name), open);
  }
  return open;
}

void warn_of_open_secrets(const std::vector<std::string>& open) {
  for (const std::string& sentence : open) {
    runtime::log::warn({{"reason", "secret_readable"}}, "{}", sentence);
  }
}

}  // namespace meridian::daemon
