// Replaces the sources that need the NATS client library in a build without it
// (MERIDIAN_WITH_NATS).
#include "ctl/sink.hpp"

#include <stdexcept>

namespace meridian::ctl {

sink::jetstream::CreatedStream create_sink_stream(const sink::Options& /*options*/,
                                                  const sink::jetstream::StreamWish& /*wish*/) {
  throw std::runtime_error(
      "sink create: this meridianctl was built without NATS (MERIDIAN_WITH_NATS=OFF)");
}

}  // namespace meridian::ctl
