/// What the control socket asks of the rest of the daemon.
#pragma once

#include "status/sources.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace meridian::control {

namespace asio = boost::asio;

/// What became of a reload: paths of keys of the configuration.
struct ReloadReport {
  std::vector<std::string> changed;
  std::vector<std::string> needs_restart;  ///< differ too, and are not applied
};

/// Why there was none.
struct ReloadRefused {
  std::string reason;
};

using ReloadOutcome = std::variant<ReloadReport, ReloadRefused>;

/// All of it must outlive the server.
struct Services {
  const status::Sources& sources;
  std::function<asio::awaitable<ReloadOutcome>()> reload;  ///< may be called on any executor
};

}  // namespace meridian::control
