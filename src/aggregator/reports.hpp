/// Figures that the daemon reads for a period and sets back: see maintenance.hpp.
#pragma once

#include <meridian/accounting.hpp>
#include <meridian/amount.hpp>
#include <meridian/frame.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace meridian::inline v2::aggregator {

/// The highest levels in a period.
struct Peaks {
  Amount buffer;            ///< each figure at its own peak
  std::size_t channel = 0;  ///< batches
};

/// Drops since the last report.
struct DropReport {
  struct Entry {
    std::uint64_t frames = 0;
    std::vector<SatelliteId> satellites;  ///< the first few of them
    bool more_satellites = false;         ///< whether there were others
  };
  std::array<Entry, all_drop_reasons.size()> by_reason;
};

}  // namespace meridian::inline v2::aggregator
