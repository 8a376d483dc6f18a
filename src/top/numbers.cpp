#include "top/numbers.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

namespace meridian::top {

namespace {

/// The digits of a number, and the prefix of its unit.
std::pair<std::string, std::string_view> scale(double number) {
  constexpr std::array<std::string_view, 7> prefixes{"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  while (number >= 999.5 && prefix + 1 < prefixes.size()) {
    number /= 1000;
    ++prefix;
  }
  const bool whole = prefix == 0 && number == std::floor(number);
  const int decimals = whole || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return {fmt::format("{:.{}f}", number, decimals), prefixes.at(prefix)};
}

}  // namespace

std::string scaled(double number) {
  const auto [digits, prefix] = scale(number);
  return fmt::format("{}{}", digits, prefix);
}

std::string scaled_octets(double octets) {
  const auto [digits, prefix] = scale(octets);
  return fmt::format("{} {}B", digits, prefix);
}

std::string frame_rate(std::optional<double> per_second) {
  return (per_second ? scaled(*per_second) : unknown) + std::string("/s");
}

std::string octet_rate(std::optional<double> per_second) {
  return (per_second ? scaled_octets(*per_second) : std::string(unknown) + " B") + "/s";
}

std::string duration_for_people(std::chrono::seconds duration) {
  const auto s = duration.count();
  if (s < 60) {
    return fmt::format("{}s", s);
  }
  if (s < 3600) {
    return fmt::format("{}m {}s", s / 60, s % 60);
  }
  if (s < 86400) {
    return fmt::format("{}h {}m", s / 3600, s / 60 % 60);
  }
  return fmt::format("{}d {}h", s / 86400, s / 3600 % 24);
}

std::string percent(std::uint64_t part, std::uint64_t all) {
  if (all == 0) {
    return std::string(unknown) + "%";
  }
  const double share = static_cast<double>(part) / static_cast<double>(all) * 100;
  if (part > 0 && share < 0.05) {
    return "<0.1%";
  }
  if (part < all && share > 99.9) {
    return ">99.9%";
  }
  return fmt::format("{:.{}f}%", share, part == 0 || part == all ? 0 : 1);
}

}  // namespace meridian::top
