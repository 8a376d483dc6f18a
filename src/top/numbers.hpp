/// Figures that need little room.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::top {

/// Shown in place of a figure that is not known.
inline constexpr const char* unknown = "-";

/// 4200000 as "4.20M": three digits, five cells at most.
[[nodiscard]] std::string scaled(double number);

/// 4200000 as "4.20 MB".
[[nodiscard]] std::string scaled_octets(double octets);

/// How many in a second: "4.20M/s".
[[nodiscard]] std::string frame_rate(std::optional<double> per_second);
[[nodiscard]] std::string octet_rate(std::optional<double> per_second);

/// The two largest units: "2m 5s".
[[nodiscard]] std::string duration_for_people(std::chrono::seconds duration);

/// A part in percent. Only nothing shows as 0, and only everything as 100.
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t all);

}  // namespace meridian::top
