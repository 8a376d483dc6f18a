/// Batches and outboxes for the tests of the outbox.
#pragma once

#include "sink/outbox.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace meridian::test {

inline constexpr std::size_t outbox_frame_bytes = frame_header_bytes + 80;
inline constexpr sink::Outbox::Clock::time_point now{};

inline BufferedBatch run_at(std::uint64_t place, Origin origin, std::uint64_t first,
                            std::uint32_t count) {
  return {place, batch_of_run(origin, first, count, 80)};
}

/// Frames whose satellites are those given, in this order; sequences count up per satellite.
inline BufferedBatch mixed_at(std::uint64_t place, const std::vector<SatelliteId>& satellites,
                              std::map<SatelliteId, std::uint64_t>& next) {
  FrameBatchBuilder builder;
  for (const SatelliteId satellite : satellites) {
    builder.append(header(satellite, 1, next[satellite]++), sample_payload(80));
  }
  return {place, builder.finish({}).value()};
}

inline std::vector<std::uint64_t> sequences_of(const sink::Message& message) {
  std::vector<std::uint64_t> sequences;
  for (const FrameBatch& part : message.parts) {
    for (const FrameView frame : part) {
      sequences.push_back(frame.header.sequence);
    }
  }
  return sequences;
}

class OutboxTest : public testing::Test {
 protected:
  sink::Outbox make(std::size_t in_flight = 1'000'000,
                    std::size_t message = 100 * outbox_frame_bytes, std::uint64_t epoch = 0xE) {
    return {"archive", epoch, {.max_in_flight_bytes = in_flight, .max_message_bytes = message}};
  }
  /// As after a start.
  sink::Outbox make_next(std::uint64_t epoch) {
    return make(1'000'000, 100 * outbox_frame_bytes, epoch);
  }
};

}  // namespace meridian::test
