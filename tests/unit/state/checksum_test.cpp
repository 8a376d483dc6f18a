#include "state/checksum.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace meridian::test {

using namespace state;

namespace {

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Crc32c, HasTheValuesOfItsStandard) {
  EXPECT_EQ(crc32c(octets_of("123456789")), 0xE3069283U);  // the check value
  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, GoesOnFromWhatStandsBefore) {
  EXPECT_EQ(crc32c(octets_of("56789"), crc32c(octets_of("1234"))), crc32c(octets_of("123456789")));
}

}  // namespace
}  // namespace meridian::test
