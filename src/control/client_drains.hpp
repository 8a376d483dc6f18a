/// The frames that a client of the control socket drains.
#pragma once

#include "control/held_leases.hpp"
#include "control/protocol.hpp"
#include "control/reply_writer.hpp"
#include "control/request_log.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace meridian::control {

namespace asio = boost::asio;

/// Answers `drain`, `commit` and `release`. Frames are the client's once they are written, or their
/// lease is committed; what it does not get that far goes back.
///
/// Each answer fails with the error of the socket, and the session is to end then. Not thread-safe:
/// on the strand of the socket. `writer` and `log` must outlive it.
class ClientDrains {
 public:
  ClientDrains(AggregatorHandle aggregator, ReplyWriter& writer, RequestLog& log);

  [[nodiscard]] asio::awaitable<error_code> answer_drain(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_lease_end(Request request);

  /// Whether its client has frames that it may still commit.
  [[nodiscard]] bool holds_leases() const { return leases_.holds_any(HeldLeases::Clock::now()); }

  /// Nobody is there any more who could commit them.
  [[nodiscard]] asio::awaitable<void> release_leases();

 private:
  [[nodiscard]] asio::awaitable<error_code> lend(const Request& request);
  [[nodiscard]] asio::awaitable<error_code> lease(const Request& request);

  /// The frames, in the format that was asked for; with a lease its id is told. What these refer to
  /// stays in the coroutine that waits for them.
  [[nodiscard]] asio::awaitable<error_code> write_frames(const Request& request,
                                                         const Drained& drained,
                                                         std::optional<LeaseId> lease);
  [[nodiscard]] asio::awaitable<error_code> write_json(const Request& request,
                                                       const Drained& drained,
                                                       std::optional<LeaseId> lease);
  [[nodiscard]] asio::awaitable<error_code> write_binary(const Request& request,
                                                         const Drained& drained,
                                                         std::optional<LeaseId> lease);

  AggregatorHandle aggregator_;
  ReplyWriter& writer_;
  RequestLog& log_;
  HeldLeases leases_;
};

}  // namespace meridian::control
