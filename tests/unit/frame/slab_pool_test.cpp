#include "frame/slab_pool.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace frame;
namespace {

using Slabs = std::vector<std::shared_ptr<std::byte[]>>;

Slabs take(SlabPool& pool, std::size_t count) {
  Slabs slabs;
  for (std::size_t i = 0; i < count; ++i) {
    slabs.push_back(pool.take());
  }
  return slabs;
}

TEST(SlabPool, GivesASlabAgainThatNobodyRefersTo) {
  SlabPool pool(4);
  std::shared_ptr<std::byte[]> slab = pool.take();
  const std::byte* const address = slab.get();
  std::shared_ptr<const std::byte[]> reference = slab;
  slab.reset();
  EXPECT_EQ(pool.unused(), 0U) << "somebody refers to it";
  reference.reset();
  EXPECT_EQ(pool.unused(), 1U);
  EXPECT_EQ(pool.take().get(), address);
}

TEST(SlabPool, GivesTheOneThatCameBackLast) {
  SlabPool pool(4);
  Slabs slabs = take(pool, 3);
  const std::byte* const last = slabs[1].get();
  slabs[0].reset();
  slabs[2].reset();
  slabs[1].reset();
  EXPECT_EQ(pool.unused(), 3U);
  EXPECT_EQ(pool.take().get(), last);
}

TEST(SlabPool, HasRoomForAWholeSlab) {
  SlabPool pool(1);
  const auto slab = pool.take();
  std::memset(slab.get(), 0x5A, SlabPool::slab_bytes);  // for the sanitizers
}

TEST(SlabPool, KeepsNoMoreThanItMay) {
  SlabPool pool(2);
  std::ignore = take(pool, 5);
  EXPECT_EQ(pool.unused(), 2U);
}

TEST(SlabPool, TrimReleasesSlabsUnusedSinceTheLastOne) {
  SlabPool pool(10);
  std::ignore = take(pool, 6);
  EXPECT_EQ(pool.trim(), 0U);
  EXPECT_EQ(pool.unused(), 6U) << "they were in use since the last trim";
  std::ignore = take(pool, 2);
  EXPECT_EQ(pool.trim(), 4U);
  EXPECT_EQ(pool.unused(), 2U);
  EXPECT_EQ(pool.trim(), 2U);
  EXPECT_EQ(pool.unused(), 0U);
}

TEST(SlabPool, IsForAllThreads) {
  SlabPool pool(8);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&pool, i] {
      for (int round = 0; round < 1000; ++round) {
        const Slabs slabs = take(pool, 3);
        for (const auto& slab : slabs) {
          slab[0] = static_cast<std::byte>(i);
          slab[SlabPool::slab_bytes - 1] = static_cast<std::byte>(round);
        }
        for (const auto& slab : slabs) {
          ASSERT_EQ(slab[0], static_cast<std::byte>(i)) << "two threads have the same slab";
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_LE(pool.unused(), 8U);
}

}  // namespace
}  // namespace meridian::test
