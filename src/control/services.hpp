/// What the control socket needs from the rest of the daemon.
#pragma once

#include "status/sources.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace meridian::control {

namespace asio = boost::asio;

/// What a reload did: paths of configuration keys.
struct ReloadReport {
  std::vector<std::string> changed;
  std::vector<std::string> needs_restart;  ///< changed too, but not applied
};

/// Why a reload was refused.
struct ReloadRefused {
  std::string reason;
};

using ReloadOutcome = std::variant<ReloadReport, ReloadRefused>;

/// Everything here must outlive the server.
struct Services {
  const status::Sources& sources;
  std::function<asio::awaitable<ReloadOutcome>()> reload;  ///< may be called on any executor
};

}  // namespace meridian::control
