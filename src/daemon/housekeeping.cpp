#include "daemon/housekeeping.hpp"

#include "aggregator/maintenance.hpp"
#include "frame/slab_pool.hpp"
#include "runtime/log.hpp"
#include "runtime/use_tuple.hpp"
#include "status/origin_pages.hpp"
#include "status/probes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <malloc.h>

namespace meridian::daemon {

namespace {

constexpr unsigned seconds_between_trims = 10;
constexpr std::size_t origins_per_look =
    4096;  // a few hundred microseconds of the aggregator's time

void give_memory_back() {
  if (frame::SlabPool::of_process().trim() > 0) {
    ::malloc_trim(0);  // the C library keeps what is freed in the middle of its heaps
  }
}

/// The most satellites that get a line of their own: a ground station that fails silences all of
/// its satellites.
constexpr std::size_t most_lines = 20;

void log_silence(const status::Silence::Changes& changes, std::chrono::seconds after) {
  const auto first_of = [](const std::vector<SatelliteId>& satellites) {
    return std::span(satellites).first(std::min(satellites.size(), most_lines));
  };
  for (const SatelliteId satellite : first_of(changes.fell_silent)) {
    runtime::log::warn({{"satellite", std::to_string(satellite)}, {"reason", "silent"}},
                       "satellite {} is silent: no frame from it for {} s", satellite,
                       after.count());
  }
  for (const SatelliteId satellite : first_of(changes.heard_again)) {
    runtime::log::info({{"satellite", std::to_string(satellite)}, {"reason", "heard_again"}},
                       "satellite {} is heard again", satellite);
  }
  const auto note_others = [](spdlog::level::level_enum level, std::size_t count,
                              std::string_view what) {
    if (count > most_lines) {
      spdlog::log(level, "{} other satellites {}", count - most_lines, what);
    }
  };
  note_others(spdlog::level::warn, changes.fell_silent.size(), "are silent too");
  note_others(spdlog::level::info, changes.heard_again.size(), "are heard again too");
}

}  // namespace

void log_drops(const aggregator::DropReport& report) {
  for (const DropReason reason : all_drop_reasons) {
    const aggregator::DropReport::Entry& entry =
        report.by_reason.at(static_cast<std::size_t>(reason));
    if (entry.frames > 0) {
      runtime::log::Fields fields{{"reason", std::string(name_of(reason))}};
      for (const SatelliteId satellite : entry.satellites) {
        fields.push_back({"satellite", std::to_string(satellite)});
      }
      runtime::log::warn(fields, "dropped {} frames: {}, satellites {}{}", entry.frames,
                         name_of(reason), fmt::join(entry.satellites, ", "),
                         entry.more_satellites ? " and others" : "");
    }
  }
}

asio::awaitable<void> Housekeeping::look_for_silence(const AggregatorHandle& aggregator,
                                                     status::Silence::Uplinks uplinks) {
  if (silence_.watches()) {
    status::OriginPages pages(aggregator, origins_per_look);
    while (!pages.at_end()) {
      const auto page = co_await pages.next();
      if (!page) {
        co_return;
      }
      silence_.look_at(page->rows);
    }
  }
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  log_silence(silence_.finish_look(status::Silence::Clock::now(), now, uplinks),
              silence_.silent()->after);
}

asio::awaitable<void> Housekeeping::forget_idle(const AggregatorHandle& aggregator,
                                                status::Silence::Uplinks uplinks) {
  const Clock::time_point now = Clock::now();
  const Clock::duration since = now - std::exchange(aged_until_, now);
  if (forget_after_.count() == 0) {
    elapsed_ = {};
    co_return;
  }
  if (uplinks == status::Silence::Uplinks::open) {
    elapsed_ += since;
  }
  // Checks after every tenth of the limit, but at least every 10 s. That is accurate enough, and
  // the table may be large.
  const Clock::duration between =
      std::min<Clock::duration>(forget_after_ / 10, std::chrono::seconds(10));
  if (elapsed_ < between) {
    co_return;
  }
  const auto elapsed =
      std::chrono::floor<std::chrono::milliseconds>(std::exchange(elapsed_, Clock::duration{}));
  const auto forgotten =
      co_await aggregator::Maintenance(aggregator).forget_idle(elapsed, forget_after_);
  if (forgotten && *forgotten > 0) {
    runtime::log::info({{"reason", "forgotten"}},
                       "forgot {} satellite channels after {} s without a frame", *forgotten,
                       forget_after_.count());
  }
}

void Housekeeping::look_at_table(const OriginTotals& totals) {
  const bool grew =
      totals.untracked_frames > std::exchange(untracked_frames_, totals.untracked_frames);
  if (totals.origins < totals.max_tracked) {
    said_full_ = false;
  } else if (grew && !std::exchange(said_full_, true)) {
    runtime::log::warn(
        {{"reason", "satellites_not_tracked"}},
        "{} satellite channels are tracked, as many as satellites.max_tracked allows: any others "
        "are summed in one row and not checked for gaps; forget those that are no longer needed "
        "(meridianctl forget, or satellites.forget_after_s), or raise satellites.max_tracked",
        totals.origins);
  }
}

asio::awaitable<void> Housekeeping::run(AggregatorHandle aggregator) {
  aged_until_ = Clock::now();
  const auto at_first = co_await aggregator.stats();
  if (at_first) {
    untracked_frames_ = at_first->origins.untracked_frames;  // restored frames are not news
  }
  for (unsigned second = 1; !stopped_; ++second) {
    tick_.expires_after(std::chrono::seconds(1));
    std::ignore = co_await tick_.async_wait(runtime::use_tuple);
    if (stopped_) {
      co_return;
    }
    const auto report = co_await aggregator::Maintenance(aggregator).take_drop_report();
    if (!report) {
      co_return;
    }
    log_drops(*report);
    runtime::log::tell_left_out();
    every_second_();
    const auto stats = co_await aggregator.stats();
    if (!stats) {
      co_return;
    }
    look_at_table(stats->origins);
    const bool held_back =
        stats->holds_batches || (stats->buffer.limits.when_full == WhenFull::backpressure &&
                                 status::is_full(stats->buffer));
    const auto uplinks =
        held_back ? status::Silence::Uplinks::held_back : status::Silence::Uplinks::open;
    co_await forget_idle(aggregator, uplinks);
    co_await look_for_silence(aggregator, uplinks);
    if (second % seconds_between_trims == 0) {
      give_memory_back();
    }
  }
}

}  // namespace meridian::daemon
