#include "aggregator/leases.hpp"

#include "aggregator/amounts.hpp"

#include <algorithm>
#include <iterator>

namespace meridian::inline v2::aggregator {

LeaseId Leases::open() {
  open_.try_emplace(open_.end(), ++last_id_);
  counts_.open = open_.size();
  return last_id_;
}

void Leases::fill(LeaseId id, std::vector<BufferedBatch> batches, const Amount& amount) {
  Lease& lease = open_.at(id).lease;
  std::ranges::move(batches, std::back_inserter(lease.batches));
  add_to(lease.amount, amount);
}

void Leases::start(LeaseId id, Clock::time_point expires_at) {
  open_.at(id).expires_at = expires_at;
  by_expiry_.emplace(expires_at, id);
}

Leases::Lease Leases::take(OpenLeases::iterator open) {
  by_expiry_.erase({open->second.expires_at, open->first});
  Lease lease = std::move(open->second.lease);
  open_.erase(open);
  counts_.open = open_.size();
  return lease;
}

Leases::Lease Leases::end(OpenLeases::iterator open, LeaseEnd how) {
  ++counts_.ended.at(static_cast<std::size_t>(how));
  if (how == LeaseEnd::expired || how == LeaseEnd::evicted) {
    ended_by_themselves_.emplace(open->first, how);
    if (ended_by_themselves_.size() > max_remembered) {
      ended_by_themselves_.erase(ended_by_themselves_.begin());
    }
  }
  return take(open);
}

std::optional<Leases::Lease> Leases::withdraw(LeaseId id) {
  const auto open = open_.find(id);
  if (open == open_.end()) {
    return std::nullopt;
  }
  return take(open);
}

boost::system::result<Leases::Lease> Leases::end(LeaseId id, LeaseEnd how) {
  if (const auto open = open_.find(id); open != open_.end()) {
    return end(open, how);
  }
  const auto ended = ended_by_themselves_.find(id);
  if (ended == ended_by_themselves_.end()) {
    return error_code(Errc::lease_unknown);
  }
  return error_code(ended->second == LeaseEnd::expired ? Errc::lease_expired : Errc::lease_evicted);
}

std::optional<Leases::Lease> Leases::expire(Clock::time_point now) {
  if (by_expiry_.empty() || by_expiry_.begin()->first > now) {
    return std::nullopt;
  }
  return end(open_.find(by_expiry_.begin()->second), LeaseEnd::expired);
}

std::optional<Leases::Lease> Leases::evict() {
  const auto filled = std::ranges::find_if(open_, [this](const auto& open) {
    return by_expiry_.contains({open.second.expires_at, open.first});
  });
  if (filled == open_.end()) {
    return std::nullopt;
  }
  return end(filled, LeaseEnd::evicted);
}

std::vector<Leases::Lease> Leases::release_all() {
  std::vector<Lease> leases;
  while (!open_.empty()) {
    leases.push_back(end(open_.begin(), LeaseEnd::released));
  }
  return leases;
}

std::optional<Leases::Clock::time_point> Leases::next_expiry() const {
  if (by_expiry_.empty()) {
    return std::nullopt;
  }
  return by_expiry_.begin()->first;
}

}  // namespace meridian::inline v2::aggregator
