#include "aggregator/amounts.hpp"
#include "aggregator/port.hpp"
#include "runtime/rethrow.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace meridian::inline v2 {

/// A lease that is being filled. Unless it is finished, its destruction withdraws it: after an
/// error, a cancellation or the end of its coroutine.
class AggregatorHandle::Port::UnfinishedLease {
 public:
  explicit UnfinishedLease(std::shared_ptr<const Port> port) : port_(std::move(port)) {}
  UnfinishedLease(const UnfinishedLease&) = delete;
  UnfinishedLease& operator=(const UnfinishedLease&) = delete;
  ~UnfinishedLease() {
    if (leased_.id) {
      asio::co_spawn(port_->executor, tell<request::WithdrawLease>(port_, *leased_.id),
                     [](const std::exception_ptr& error, error_code) {
                       // It fails only if there is no aggregator, and so no buffer for the frames.
                       runtime::rethrow(error);
                     });
    }
  }

  void add(request::LeaseReply reply) {
    leased_.id = reply.id;
    Drained& frames = leased_.frames;
    aggregator::add_to(frames.taken, reply.step.taken);
    frames.remaining = reply.step.remaining;
    std::ranges::move(reply.step.batches, std::back_inserter(frames.batches));
  }
  [[nodiscard]] std::optional<LeaseId> id() const noexcept { return leased_.id; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return leased_.frames.taken.frames; }
  [[nodiscard]] Leased finish() noexcept { return std::exchange(leased_, {}); }

 private:
  std::shared_ptr<const Port> port_;
  Leased leased_;
};

asio::awaitable<AggregatorHandle::Result<Leased>> AggregatorHandle::Port::lease(
    std::shared_ptr<const Port> port, LeaseQuery query) {
  UnfinishedLease lease(port);
  request::DrainProgress progress;
  for (;;) {
    LeaseQuery rest = query;
    rest.max_frames -= lease.frames();
    auto reply = co_await ask<request::Lease>(port, rest, progress, lease.id());
    if (!reply) {
      co_return reply.error();
    }
    const bool finished = reply->step.finished;
    progress = reply->step.progress;
    lease.add(*std::move(reply));
    if (finished) {
      co_return lease.finish();
    }
  }
}

asio::awaitable<AggregatorHandle::Result<Amount>> AggregatorHandle::Port::end_lease(
    std::shared_ptr<const Port> port, LeaseId id, LeaseEnd how) {
  const auto reply = co_await ask<request::EndLease>(std::move(port), id, how);
  if (!reply) {
    co_return reply.error();
  }
  if (reply->ec) {
    co_return reply->ec;
  }
  co_return reply->amount;
}

asio::awaitable<AggregatorHandle::Result<Leased>> AggregatorHandle::lease(LeaseQuery query) const {
  return Port::lease(port_, query);
}

asio::awaitable<AggregatorHandle::Result<Amount>> AggregatorHandle::commit(LeaseId id) const {
  return Port::end_lease(port_, id, LeaseEnd::committed);
}

asio::awaitable<AggregatorHandle::Result<Amount>> AggregatorHandle::release(LeaseId id) const {
  return Port::end_lease(port_, id, LeaseEnd::released);
}

}  // namespace meridian::inline v2
