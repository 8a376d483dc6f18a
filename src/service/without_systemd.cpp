// Replaces the sources that need libsystemd in a build without it (MERIDIAN_WITH_SYSTEMD). If the
// service manager has set up something that this build cannot use, the functions here throw.
#include "service/inherited_sockets.hpp"
#include "service/journal_sink.hpp"
#include "service/watchdog.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace meridian::service {

namespace {

/// Whether a variable that names a process, such as LISTEN_PID, names this one.
bool names_this_process(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && value == std::to_string(::getpid());
}

}  // namespace

InheritedSockets InheritedSockets::of_process() {
  if (names_this_process("LISTEN_PID")) {
    throw std::runtime_error(
        "the service manager hands over sockets (LISTEN_FDS), which this meridiand cannot use: it "
        "was built without systemd (MERIDIAN_WITH_SYSTEMD); disable the .socket units");
  }
  return {};
}

InheritedSockets::InheritedSockets(InheritedSockets&& other) noexcept
    : sockets_(std::exchange(other.sockets_, {})) {}

InheritedSockets::~InheritedSockets() = default;

std::optional<int> InheritedSockets::take_control(std::string_view /*path*/) {
  return std::nullopt;
}

std::optional<int> InheritedSockets::find(std::string_view /*name*/,
                                          const boost::asio::ip::tcp::endpoint& /*address*/) const {
  return std::nullopt;
}

std::vector<InheritedSockets::Unused> InheritedSockets::unused() const {
  return {};
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  if (std::getenv("WATCHDOG_USEC") != nullptr &&
      (std::getenv("WATCHDOG_PID") == nullptr || names_this_process("WATCHDOG_PID"))) {
    throw std::runtime_error(
        "the service manager expects watchdog messages (WATCHDOG_USEC), which this meridiand "
        "cannot send: it was built without systemd (MERIDIAN_WITH_SYSTEMD); remove WatchdogSec= "
        "from its unit");
  }
  return std::nullopt;
}

/// A build without systemd never sends entries: the journal gets standard error as text.
bool is_journal(int /*stream*/) {
  return false;
}

std::shared_ptr<spdlog::sinks::sink> make_journal_sink() {
  throw std::logic_error("built without systemd");
}

}  // namespace meridian::service
