/// What the log says about a start, a reload and a stop.
#pragma once

#include "control/services.hpp"
#include "state/state_directory.hpp"
#include "status/state_report.hpp"

#include <meridian/aggregator.hpp>

#include <cstdint>

namespace meridian::daemon {

/// How much of what remained at a stop could be saved.
enum class Saved : std::uint8_t { all, not_all, nowhere };

void log_restored(const status::StateReport& report, const state::Restored& read);
void log_reload(const control::ReloadOutcome& outcome);
void log_end(const AggregatorStats& stats, Saved saved);

}  // namespace meridian::daemon
