/// Encodes long lists in pieces.
#pragma once

#include "status/json.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace meridian::status {

/// How many rows a piece has: about a hundred kilobytes of text, and a millisecond of work.
inline constexpr std::size_t rows_per_piece = 512;

/// Makes {"satellites": […]} out of pages: `begin`, `page` for each, `end`.
class SatellitesEncoder {
 public:
  explicit SatellitesEncoder(std::shared_ptr<const SilentSatellites> silent) noexcept
      : silent_(std::move(silent)) {}

  [[nodiscard]] static std::string begin() { return R"({"satellites":[)"; }
  [[nodiscard]] std::string page(const std::vector<OriginStats>& origins);
  [[nodiscard]] static std::string end() { return "]}"; }

 private:
  std::shared_ptr<const SilentSatellites> silent_;
  bool first_ = true;
};

/// Makes {"uplinks": […], "closed": […], "listeners": […]}.
class UplinksEncoder {
 public:
  explicit UplinksEncoder(const UplinkTable::Snapshot& uplinks) noexcept : uplinks_(uplinks) {}
  explicit UplinksEncoder(UplinkTable::Snapshot&&) = delete;  // refers to it

  /// Puts the next piece into `out`. False after the last one.
  [[nodiscard]] bool next(std::string& out);

 private:
  const UplinkTable::Snapshot& uplinks_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

}  // namespace meridian::status
