// Replaces the sources that need the NATS client library in a build without it
// (MERIDIAN_WITH_NATS).
#include "sim/consumption.hpp"

#include <stdexcept>

namespace meridian::sim {

ConsumeReport consume(const ConsumeOptions& /*options*/) {
  throw std::runtime_error(
      "consume: this meridian-sim was built without NATS (MERIDIAN_WITH_NATS=OFF)");
}

}  // namespace meridian::sim
