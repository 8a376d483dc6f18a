/// An aggregator under test, on one thread.
#pragma once

#include "unit/aggregator/aggregator_calls.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/lent.hpp>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <utility>

namespace meridian::test {

/// An aggregator on one thread, which runs when a test calls.
class AggregatorTest : public testing::Test {
 protected:
  void spawn(const AggregatorOptions& with) {
    aggregator_.emplace(spawn_aggregator(context_.get_executor(), with));
  }
  template <typename T>
  T call(asio::awaitable<T> awaitable) {
    return call_now(context_, std::move(awaitable));
  }
  void send(FrameBatch batch) {
    EXPECT_EQ(call(aggregator_->send(std::move(batch))), error_code{});
  }
  Drained drain(std::uint64_t max_frames = all_frames,
                std::optional<SatelliteId> satellite = std::nullopt) {
    return call(aggregator_->drain({.max_frames = max_frames, .satellite_id = satellite})).value();
  }
  Lent lend(std::uint64_t max_frames = all_frames,
            std::optional<SatelliteId> satellite = std::nullopt) {
    return call(aggregator_->lend({.max_frames = max_frames, .satellite_id = satellite})).value();
  }
  AggregatorStats stats() { return call(aggregator_->stats()).value(); }

  asio::io_context context_;
  std::optional<AggregatorHandle> aggregator_;
};

}  // namespace meridian::test
