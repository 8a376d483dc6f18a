/// Figures as text that needs little room.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::top {

/// Shown in place of a figure that is not known.
inline constexpr const char* unknown = "-";

/// 4200000 as "4.20M": at most three digits and five cells.
[[nodiscard]] std::string scaled(double number);

/// 4200000 as "4.20 MB".
[[nodiscard]] std::string scaled_octets(double octets);

/// A rate: "4.20M/s" for frames, "4.20 MB/s" for octets.
[[nodiscard]] std::string frame_rate(std::optional<double> per_second);
[[nodiscard]] std::string octet_rate(std::optional<double> per_second);

/// A duration in its two largest units: "2m 5s".
[[nodiscard]] std::string duration_for_people(std::chrono::seconds duration);

/// A part in percent. Shows 0 only if `part` is 0, and 100 only if `part` is `all`.
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t all);

}  // namespace meridian::top
