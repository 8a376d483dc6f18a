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

/// Answers `drain`, `commit` and `release`. Frames belong to the client once they are written or,
/// with a lease, once the client commits. All others go back to the buffer.
///
/// Each answer fails with the socket's error, and the session must end then. Not thread-safe: must
/// be used on the strand of the socket. `leases`, `writer` and `log` must outlive it.
class ClientDrains {
 public:
  ClientDrains(AggregatorHandle aggregator, HeldLeases& leases, ReplyWriter& writer,
               RequestLog& log);

  [[nodiscard]] asio::awaitable<error_code> answer_drain(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_lease_end(Request request);

  /// Releases all leases, because the client that could commit them has gone.
  [[nodiscard]] asio::awaitable<void> release_leases();

 private:
  [[nodiscard]] asio::awaitable<error_code> lend(const Request& request);
  [[nodiscard]] asio::awaitable<error_code> lease(const Request& request);

  /// Writes the frames in the requested format, and with a lease also its id. The arguments must
  /// outlive the call: the awaiting coroutine keeps them.
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
  HeldLeases& leases_;
  ReplyWriter& writer_;
  RequestLog& log_;
};

}  // namespace meridian::control
