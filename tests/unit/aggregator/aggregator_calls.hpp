/// How the tests call an aggregator.
#pragma once

#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace meridian::test {

constexpr std::uint64_t all_frames = 1'000'000'000;

/// Runs all that is ready.
inline void poll(asio::io_context& context) {
  context.restart();
  context.poll();
}

template <typename T>
bool is_ready(const std::future<T>& answer) {
  return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

/// Starts a call on one thread, and runs it as far as it goes.
template <typename T>
std::future<T> start(asio::io_context& context, asio::awaitable<T> call) {
  std::future<T> answer = asio::co_spawn(context, std::move(call), asio::use_future);
  poll(context);
  return answer;
}

/// A call that must not have to wait for anything outside.
template <typename T>
T call_now(asio::io_context& context, asio::awaitable<T> call) {
  std::future<T> answer = start(context, std::move(call));
  if (!is_ready(answer)) {
    throw std::logic_error("the call waits");
  }
  return answer.get();
}

inline std::vector<std::uint64_t> sequences_of(const Drained& drained) {
  std::vector<std::uint64_t> sequences;
  for (const BufferedBatch& buffered : drained.batches) {
    for (const FrameView frame : buffered.batch) {
      sequences.push_back(frame.header.sequence);
    }
  }
  return sequences;
}

/// first, first + 1, … , `count` of them.
inline std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> all(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    all[i] = first + i;
  }
  return all;
}

inline AggregatorOptions options(std::size_t channel_capacity, std::uint64_t max_frames,
                                 WhenFull when_full) {
  return {.channel_capacity = channel_capacity,
          .buffer = {.max_frames = max_frames, .when_full = when_full}};
}

}  // namespace meridian::test
