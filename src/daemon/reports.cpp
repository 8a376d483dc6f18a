#include "daemon/reports.hpp"

#include "runtime/log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <string_view>
#include <variant>

namespace meridian::daemon {

namespace log = runtime::log;

namespace {

/// What became of the frames in the buffer.
std::string_view fate_of_rest(Saved saved) {
  switch (saved) {
    case Saved::all:
      return " and are saved";
    case Saved::not_all:
      return " and could not all be saved";
    case Saved::nowhere:
      break;
  }
  return "";
}

}  // namespace

void log_restored(const status::StateReport& report, const state::Restored& read) {
  if (!read.why_unreadable.empty()) {
    log::error({{"reason", "state_unreadable"}},
               "the saved state in {} cannot be read: {}; it is set aside, as "
               "state.when_unreadable says",
               *report.directory, read.why_unreadable);
  }
  spdlog::info("restored {} frames from {}", report.restored, *report.directory);
  if (!read.is_whole) {
    log::error({{"reason", "state_damaged"}},
               "the saved state in {} is damaged: {} frames are missing, {} bytes could not be "
               "read; {}",
               *report.directory, report.not_restored, report.damaged_bytes,
               report.set_aside ? "what could not be read is set aside as " + *report.set_aside
                                : "there was nothing to set aside");
  }
}

void log_reload(const control::ReloadOutcome& outcome) {
  if (const auto* const refused = std::get_if<control::ReloadRefused>(&outcome)) {
    log::error({{"reason", "configuration_refused"}},
               "the new configuration is refused, and the old one stays in use: {}",
               refused->reason);
    return;
  }
  const auto& report = std::get<control::ReloadReport>(outcome);
  spdlog::info("reloaded: {}", report.changed.empty()
                                   ? "nothing has changed"
                                   : fmt::format("{}", fmt::join(report.changed, ", ")));
  if (!report.needs_restart.empty()) {
    spdlog::warn("a restart is needed for {}", fmt::join(report.needs_restart, ", "));
  }
}

void log_end(const AggregatorStats& stats, Saved saved) {
  const Ledger& ledger = stats.ledger;
  std::uint64_t dropped = 0;
  for (const std::uint64_t frames : ledger.dropped) {
    dropped += frames;
  }
  spdlog::info(
      "stopped: {} frames ({} bytes) remained{}; of {} received, {} were drained, {} "
      "flushed, {} delivered, {} dropped",
      ledger.buffered, stats.buffer.now.bytes, fate_of_rest(saved), ledger.received, ledger.drained,
      ledger.flushed, ledger.delivered, dropped);
}

}  // namespace meridian::daemon
