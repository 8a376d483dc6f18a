#include "frame/keyed_hash.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace meridian::test {

using namespace frame;
namespace {

constexpr std::size_t keys = 50'000;

/// The most keys that share a bucket, where key i is `i * step`.
std::size_t fullest_bucket(std::uint64_t step) {
  KeyedMap<std::uint64_t, int> table;
  for (std::uint64_t i = 0; i < keys; ++i) {
    table.emplace(i * step, 0);
  }
  std::size_t most = 0;
  for (std::size_t bucket = 0; bucket < table.bucket_count(); ++bucket) {
    most = std::max(most, table.bucket_size(bucket));
  }
  return most;
}

TEST(KeyedHash, SpreadsKeysChosenToShareABucket) {
  // Bucket counts of the standard library; any of them shares all keys with the id for a hash.
  for (const std::uint64_t step : {1U, 20'753U, 42'043U, 85'229U, 172'933U, 1U << 16U, 1U << 31U}) {
    EXPECT_LT(fullest_bucket(step), 64U) << "multiples of " << step;
  }
}

TEST(KeyedHash, SpreadsKeysOverPowersOfTwo) {
  const KeyedHash hash;
  for (const std::uint64_t step : {1ULL, 1ULL << 16U, 1ULL << 32U, 1ULL << 47U}) {
    std::vector<std::size_t> low(1024);
    std::vector<std::size_t> high(1024);
    for (std::uint64_t i = 0; i < keys; ++i) {
      const std::uint64_t value = hash(i * step);
      ++low[value & 1023U];
      ++high[value >> 54U];
    }
    EXPECT_LT(std::ranges::max(low), 10 * keys / 1024) << step;
    EXPECT_LT(std::ranges::max(high), 10 * keys / 1024) << step;
  }
}

TEST(KeyedHash, IsTheSameThroughoutAProcess) {
  EXPECT_EQ(KeyedHash()(7), KeyedHash()(7));
  EXPECT_NE(KeyedHash()(7), KeyedHash()(8));
}

TEST(KeyedHash, IsNotWhatAPeerCanWorkOut) {
  // The id itself, or a fixed mix of it: 0 and 1 would come out as they always do.
  EXPECT_NE(KeyedHash()(0), 0U);
  EXPECT_NE(KeyedHash()(1), 1U);
  EXPECT_NE(KeyedHash()(0), boost::hash<std::uint64_t>()(0));
}

}  // namespace
}  // namespace meridian::test
