#include "aggregator/maintenance.hpp"

#include "aggregator/port.hpp"

namespace meridian::inline v2::aggregator {

asio::awaitable<Maintenance::Result<std::uint64_t>> Maintenance::forget_idle(
    std::chrono::milliseconds elapsed, std::chrono::milliseconds limit) const {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  return AggregatorHandle::Port::forget_idle(port_,
                                             {.elapsed = elapsed, .limit = limit, .now = now});
}

asio::awaitable<Maintenance::Result<DropReport>> Maintenance::take_drop_report() const {
  return AggregatorHandle::Port::ask<request::TakeDropReport>(port_);
}

asio::awaitable<Maintenance::Result<Peaks>> Maintenance::take_peaks() const {
  return AggregatorHandle::Port::ask<request::TakePeaks>(port_);
}

asio::awaitable<Maintenance::Result<AggregatorStats>> Maintenance::restore(SavedState saved) const {
  return AggregatorHandle::Port::ask<request::Restore>(port_, std::move(saved));
}

asio::awaitable<error_code> Maintenance::set_limits(BufferLimits limits, std::size_t max_tracked,
                                                    std::uint32_t reset_after) const {
  return AggregatorHandle::Port::tell<request::SetLimits>(port_, limits, max_tracked, reset_after);
}

asio::awaitable<error_code> Maintenance::release_backpressure() const {
  return AggregatorHandle::Port::tell<request::ReleaseBackpressure>(port_);
}

}  // namespace meridian::inline v2::aggregator
