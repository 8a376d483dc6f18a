/// What the sessions of an HTTP server share.
#pragma once

#include "http/client_counters.hpp"
#include "http/live.hpp"
#include "http/options.hpp"
#include "status/sources.hpp"

#include <memory>

namespace meridian::http {

/// `sources` and `counters` must outlive it. Constant once made; what it refers to is thread-safe.
struct Context {
  const status::Sources& sources;
  ClientCounters& counters;
  std::shared_ptr<Live> live;
  ServerOptions options;
};

}  // namespace meridian::http
