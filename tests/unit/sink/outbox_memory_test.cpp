// What an outbox does where there is no memory: a batch that could not be added is added the next
// time, and each of its frames goes once.
#include "sink/outbox.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <new>
#include <optional>
#include <tuple>
#include <vector>

namespace {

/// How many allocations of this thread succeed before one fails; nothing: all of them do.
thread_local std::optional<std::size_t> allocations_left;

void* allocate(std::size_t bytes) noexcept {
  if (allocations_left) {
    if (*allocations_left == 0) {
      return nullptr;
    }
    --*allocations_left;
  }
  return std::malloc(bytes == 0 ? 1 : bytes);
}

}  // namespace

// In place of those of the library, for the whole program. All of one kind, since a sanitizer wants
// to see memory returned to where it came from; not inline, or the compiler warns of free.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  void* const memory = allocate(bytes);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return allocate(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}

namespace meridian::test {

using namespace sink;

namespace {

constexpr std::size_t bytes_of_a_frame = frame_header_bytes + 80;
constexpr Outbox::Clock::time_point any_time{};

Outbox outbox_of_small_messages() {
  return {"archive",
          0xE,
          {.max_in_flight_bytes = 1'000'000, .max_message_bytes = 2 * bytes_of_a_frame}};
}

/// Five frames of each of three satellites, in turn.
BufferedBatch three_satellites(std::uint64_t place, std::uint64_t first_sequence) {
  FrameBatchBuilder builder;
  for (std::uint64_t i = 0; i < 5; ++i) {
    for (const SatelliteId satellite : {7U, 8U, 9U}) {
      builder.append(test::header(satellite, 1, first_sequence + i), test::sample_payload(80));
    }
  }
  return {place, builder.finish({}).value()};
}

/// The sequences of each satellite in the order in which they go. Acknowledges all of them.
std::map<SatelliteId, std::vector<std::uint64_t>> sequences_that_go(Outbox& outbox) {
  std::map<SatelliteId, std::vector<std::uint64_t>> sequences;
  while (const auto next = outbox.next(any_time)) {
    for (const FrameBatch& part : next->message->parts) {
      for (const FrameView frame : part) {
        sequences[next->message->origin.satellite_id].push_back(frame.header.sequence);
      }
    }
    std::ignore = outbox.acknowledged(next->ticket);
  }
  return sequences;
}

/// Adds a batch with so many allocations. False where they were too few.
bool add_with(Outbox& outbox, const BufferedBatch& batch, std::size_t allocations) {
  allocations_left = allocations;
  bool added = true;
  try {
    outbox.add(batch);
  } catch (const std::bad_alloc&) {
    added = false;
  }
  allocations_left.reset();
  return added;
}

TEST(OutboxWithoutMemory, HasAllOfABatchOrNothing) {
  const std::vector<std::uint64_t> each = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::map<SatelliteId, std::vector<std::uint64_t>> all = {{7, each}, {8, each}, {9, each}};
  std::size_t failures = 0;
  for (bool added = false; !added; failures += added ? 0 : 1) {
    Outbox outbox = outbox_of_small_messages();
    outbox.add(three_satellites(1, 0));
    const std::size_t room = outbox.room();
    const BufferedBatch batch = three_satellites(16, 5);
    added = add_with(outbox, batch, failures);
    if (!added) {
      ASSERT_EQ(outbox.room(), room) << "after " << failures << " allocations";
      outbox.add(batch);
    }
    ASSERT_EQ(sequences_that_go(outbox), all) << "after " << failures << " allocations";
  }
  EXPECT_GT(failures, 10U) << "it fails at each of several places";
}

TEST(OutboxWithoutMemory, IsAsItWasWhereItWasEmpty) {
  std::size_t failures = 0;
  for (bool added = false; !added; failures += added ? 0 : 1) {
    Outbox outbox = outbox_of_small_messages();
    const std::size_t room = outbox.room();
    added = add_with(outbox, three_satellites(1, 0), failures);
    if (!added) {
      ASSERT_EQ(outbox.room(), room) << "after " << failures << " allocations";
      ASSERT_FALSE(outbox.next(any_time).has_value()) << "after " << failures << " allocations";
      ASSERT_TRUE(outbox.attempts().empty());
    }
  }
  EXPECT_GT(failures, 10U);
}

/// Calls it again and again, with one more allocation each time, until they are enough.
template <typename Call>
std::size_t failures_until_done(Call call) {
  for (std::size_t allocations = 0;; ++allocations) {
    allocations_left = allocations;
    try {
      call();
      allocations_left.reset();
      return allocations;
    } catch (const std::bad_alloc&) {
      allocations_left.reset();
    }
  }
}

TEST(OutboxWithoutMemory, LosesNoFrameWhateverFails) {
  Outbox outbox = outbox_of_small_messages();
  outbox.add(three_satellites(1, 0));
  outbox.add(three_satellites(16, 5));
  std::map<SatelliteId, std::vector<std::uint64_t>> arrived;
  std::vector<PlaceRange> done;
  std::size_t failures = 0;
  std::optional<Outbox::Publication> next;
  for (std::size_t i = 0;; ++i) {
    failures += failures_until_done([&] { next = outbox.next(any_time); });
    if (!next) {
      break;
    }
    const auto refuse = [&] { outbox.refused(next->ticket, any_time, Outbox::Fate::not_stored); };
    const auto divide = [&] { outbox.refused_as_too_large(next->ticket, any_time); };
    if (i % 3 == 0) {
      failures += failures_until_done(refuse);
      failures += failures_until_done([&] { outbox.retry_now(); });
    } else if (i % 3 == 1 && next->message->frames > 1) {
      failures += failures_until_done(divide);
    } else {
      for (const FrameBatch& part : next->message->parts) {
        for (const FrameView frame : part) {
          arrived[next->message->origin.satellite_id].push_back(frame.header.sequence);
        }
      }
      std::vector<PlaceRange> more;
      failures += failures_until_done([&] { more = outbox.acknowledged(next->ticket); });
      done.insert(done.end(), more.begin(), more.end());
    }
  }
  const std::vector<std::uint64_t> each = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::map<SatelliteId, std::vector<std::uint64_t>> all = {{7, each}, {8, each}, {9, each}};
  EXPECT_EQ(arrived, all);
  EXPECT_EQ(done, (std::vector{PlaceRange{1, 15}, PlaceRange{16, 15}}));
  EXPECT_EQ(outbox.in_flight_bytes(), 0U);
  EXPECT_GT(failures, 100U);
}

}  // namespace
}  // namespace meridian::test
