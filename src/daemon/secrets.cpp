#include "daemon/secrets.hpp"

#include "runtime/log.hpp"
#include "sink/type.hpp"

#include <fmt/format.h>

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

}  // namespace

std::vector<std::string> open_secrets(const Config& config) {
  std::vector<std::string> open;
  for (const sink::Options& sink : config.sinks) {
    if (sink.type->secrets(sink).password_in_configuration) {
      look_at(config.file.string(), "a password", open);
      break;
    }
  }
  for (const sink::Options& sink : config.sinks) {
    for (const auto& [path, what] : sink.type->secrets(sink).files) {
      look_at(path, fmt::format("{} of sink {}", what, sink.name), open);
    }
  }
  return open;
}

void warn_of_open_secrets(const std::vector<std::string>& open) {
  for (const std::string& sentence : open) {
    runtime::log::warn({{"reason", "secret_readable"}}, "{}", sentence);
  }
}

}  // namespace meridian::daemon
