/// What tests of consumers share.
#pragma once

#include "unit/aggregator/aggregator_fixture.hpp"

#include <meridian/consumer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using Batches = std::vector<BufferedBatch>;

inline std::vector<std::uint64_t> sequences_in(const Batches& batches) {
  std::vector<std::uint64_t> sequences;
  for (const BufferedBatch& buffered : batches) {
    for (const FrameView frame : buffered.batch) {
      sequences.push_back(frame.header.sequence);
    }
  }
  return sequences;
}

inline std::vector<PlaceRange> places_of(const Batches& batches) {
  std::vector<PlaceRange> places;
  for (const BufferedBatch& buffered : batches) {
    places.push_back(buffered.places());
  }
  return places;
}

/// Octets of a payload: batches of such frames are not joined.
inline constexpr std::size_t large = 4096;

class ConsumerTest : public AggregatorTest {
 protected:
  void spawn_with(WhenFull when_full, std::vector<ConsumerOptions> consumers,
                  std::uint64_t max_frames = 100) {
    AggregatorOptions with = options(16, max_frames, when_full);
    with.consumers = std::move(consumers);
    spawn(with);
  }
  Consumer consume(const std::string& name) {
    std::optional<Consumer> consumer;
    EXPECT_EQ(call(begin(*aggregator_, name, consumer)), error_code{});
    return *std::move(consumer);
  }
  /// Asio cannot return from a coroutine that it starts what has no default.
  static asio::awaitable<error_code> begin(AggregatorHandle aggregator, std::string name,
                                           std::optional<Consumer>& out) {
    auto consumer = co_await aggregator.consume(std::move(name));
    if (!consumer) {
      co_return consumer.error();
    }
    out.emplace(*std::move(consumer));
    co_return error_code{};
  }
  Batches next(Consumer& consumer, std::size_t max_bytes = 1'000'000'000) {
    return call(consumer.next(max_bytes)).value();
  }
  void acknowledge(Consumer& consumer, const Batches& batches) {
    EXPECT_EQ(call(consumer.acknowledge(places_of(batches))), error_code{});
  }
  ConsumerStats stats_of(const std::string& name) {
    const AggregatorStats all = stats();
    return *std::ranges::find(all.consumers, name, &ConsumerStats::name);
  }
  std::uint64_t skipped(const std::string& name, Skip why) {
    return stats_of(name).skipped.at(static_cast<std::size_t>(why));
  }
  void send_run(std::uint64_t first, std::uint32_t count = 1) {
    send(batch_of_run({1, 1}, first, count, large));
  }
};

}  // namespace meridian::test
