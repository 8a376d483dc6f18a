/// Leased frames, which are kept aside until the client commits them or the lease ends otherwise.
#pragma once

#include <meridian/aggregator.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace meridian::inline v2::aggregator {

/// The open leases, and how other leases have ended. The steps of a drain fill a lease; its time
/// runs from the last step.
///
/// Not thread-safe: owned by the aggregator.
class Leases {
 public:
  using Clock = std::chrono::steady_clock;

  struct Lease {
    std::vector<BufferedBatch> batches;
    Amount amount;
  };

  /// A new lease, without frames and without an end.
  [[nodiscard]] LeaseId open();

  /// More frames for a lease that is open.
  void fill(LeaseId id, std::vector<BufferedBatch> batches, const Amount& amount);

  /// The lease is filled. It expires at `expires_at`.
  void start(LeaseId id, Clock::time_point expires_at);

  /// Ends a lease that never reached its caller, without counting it as ended. Nothing if it is not
  /// open.
  [[nodiscard]] std::optional<Lease> withdraw(LeaseId id);

  /// Ends a lease. Fails with Errc::lease_expired, Errc::lease_evicted or Errc::lease_unknown if it
  /// is not open.
  [[nodiscard]] boost::system::result<Lease> end(LeaseId id, LeaseEnd how);

  /// Ends a lease whose time is over. Nothing if there is none.
  [[nodiscard]] std::optional<Lease> expire(Clock::time_point now);

  /// Ends the filled lease that was opened first, which has the lowest id. Nothing if no lease is
  /// filled.
  [[nodiscard]] std::optional<Lease> evict();

  /// Ends all leases, including those that are being filled.
  [[nodiscard]] std::vector<Lease> release_all();

  /// When the next lease expires. Nothing if no lease is filled.
  [[nodiscard]] std::optional<Clock::time_point> next_expiry() const;

  [[nodiscard]] const LeaseCounts& counts() const noexcept { return counts_; }

  /// How many expired and evicted leases are remembered.
  static constexpr std::size_t max_remembered = 4'096;

 private:
  struct OpenLease {
    Lease lease;
    Clock::time_point expires_at = Clock::time_point::max();
  };
  using OpenLeases = std::map<LeaseId, OpenLease>;

  [[nodiscard]] Lease take(OpenLeases::iterator open);
  [[nodiscard]] Lease end(OpenLeases::iterator open, LeaseEnd how);

  OpenLeases open_;
  std::set<std::pair<Clock::time_point, LeaseId>> by_expiry_;  // those that are filled
  std::map<LeaseId, LeaseEnd> ended_by_themselves_;
  LeaseCounts counts_;
  LeaseId last_id_ = 0;
};

}  // namespace meridian::inline v2::aggregator
