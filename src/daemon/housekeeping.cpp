#include "daemon/housekeeping.hpp"

#include "frame/slab_pool.hpp"
#include "runtime/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <tuple>

#include <malloc.h>

namespace meridian::daemon {

namespace {

constexpr unsigned seconds_between_trims = 10;

void give_memory_back() {
  if (SlabPool::of_process().trim() > 0) {
    ::malloc_trim(0);  // the C library keeps what is freed in the middle of its heaps
  }
}

}  // namespace

void log_drops(const DropReport& report) {
  for (const DropReason reason : all_drop_reasons) {
    const DropReport::Entry& entry = report.by_reason.at(static_cast<std::size_t>(reason));
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

asio::awaitable<void> Housekeeping::run(AggregatorHandle aggregator) {
  for (unsigned second = 1; !stopped_; ++second) {
    tick_.expires_after(std::chrono::seconds(1));
    std::ignore = co_await tick_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (stopped_) {
      co_return;
    }
    const auto report = co_await aggregator.take_drop_report();
    if (!report) {
      co_return;
    }
    log_drops(*report);
    if (second % seconds_between_trims == 0) {
      give_memory_back();
    }
  }
}

}  // namespace meridian::daemon
