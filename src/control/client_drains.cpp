#include "control/client_drains.hpp"

#include "control/drain_encoder.hpp"
#include "control/write_in_pieces.hpp"
#include "runtime/rethrow.hpp"

#include <meridian/lent.hpp>

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::control {

namespace {

using status::Json;

bool is_about_lease(const error_code& ec) {
  return ec == Errc::lease_unknown || ec == Errc::lease_expired || ec == Errc::lease_evicted;
}

std::string what_to_do(LeaseId id, const error_code& ec) {
  if (ec == Errc::lease_evicted) {
    return fmt::format("lease {}: {}; ask for fewer frames at a time, or commit sooner", id,
                       ec.message());
  }
  if (ec == Errc::lease_expired) {
    return fmt::format("lease {}: {}; drain the frames again, with a longer lease_s", id,
                       ec.message());
  }
  return fmt::format("lease {}: this connection has no such lease", id);
}

}  // namespace

ClientDrains::ClientDrains(AggregatorHandle aggregator, HeldLeases& leases, ReplyWriter& writer,
                           RequestLog& log)
    : aggregator_(std::move(aggregator)), leases_(leases), writer_(writer), log_(log) {}

asio::awaitable<error_code> ClientDrains::answer_drain(Request request) {
  if (!request.id) {
    log_.refused_notification(
        "a drain needs an id, since its frames would otherwise be removed and sent to no client");
    co_return error_code();
  }
  if (request.drain.lease) {
    co_return co_await lease(request);
  }
  co_return co_await lend(request);
}

asio::awaitable<error_code> ClientDrains::lend(const Request& request) {
  DrainQuery query;
  query.max_frames = request.drain.max_frames;
  query.satellite_id = request.drain.satellite_id;
  auto lent = co_await aggregator_.lend(query);
  if (!lent) {
    const std::string refusal = encode_error(shut_down_error(request, lent.error()));
    co_return co_await writer_.write(refusal);
  }
  const std::uint64_t frames = lent->frames().taken.frames;
  const error_code ec = co_await write_frames(request, lent->frames(), std::nullopt);
  if (ec) {
    log_.did(fmt::format("drain: its answer could not be sent, {} frames go back into the buffer",
                         frames));
    std::ignore = co_await std::move(*lent).put_back();
  } else {
    // Comes before the log line: the client has the frames, even if logging fails.
    std::ignore = co_await std::move(*lent).settle();
    log_.drained(frames);
  }
  co_return ec;
}

asio::awaitable<error_code> ClientDrains::lease(const Request& request) {
  const auto now = HeldLeases::Clock::now();
  if (!leases_.has_room(now)) {
    const std::string refusal = encode_error(
        {ErrorCode::too_many_leases,
         fmt::format("this connection has {} leases, the most allowed: commit or release some",
                     HeldLeases::most),
         *request.id});
    co_return co_await writer_.write(refusal);
  }
  LeaseQuery query;
  query.max_frames = request.drain.max_frames;
  query.satellite_id = request.drain.satellite_id;
  query.duration = *request.drain.lease;
  const auto leased = co_await aggregator_.lease(query);
  if (!leased) {
    const std::string refusal = encode_error(shut_down_error(request, leased.error()));
    co_return co_await writer_.write(refusal);
  }
  if (leased->id) {
    leases_.add(*leased->id, HeldLeases::Clock::now() + query.duration);
  } else {
    log_.drained(0);  // no commit will follow, so this is the only line about it
  }
  // If this fails, the session ends, and the lease with it.
  const error_code ec = co_await write_frames(request, leased->frames, leased->id);
  if (ec) {
    log_.did(
        fmt::format("drain: its answer could not be sent, {} leased frames go back into the buffer",
                    leased->frames.taken.frames));
  }
  co_return ec;
}

asio::awaitable<error_code> ClientDrains::answer_lease_end(Request request) {
  const bool commits = request.method == Method::commit;
  boost::system::result<Amount> ended = error_code(Errc::lease_unknown);
  if (leases_.remove(request.lease)) {
    if (commits) {
      ended = co_await aggregator_.commit(request.lease);
    } else {
      ended = co_await aggregator_.release(request.lease);
    }
  }
  if (ended && commits) {
    log_.drained(ended->frames);
  }
  if (!request.id) {
    if (!ended) {
      log_.refused_notification(ended.error().message());
    }
    co_return error_code();
  }
  std::string answer;
  if (ended) {
    answer = encode_result(request, Json{{commits ? "committed" : "released", ended->frames}});
  } else if (is_about_lease(ended.error())) {
    answer = encode_error(
        {ErrorCode::lease_ended, what_to_do(request.lease, ended.error()), *request.id});
  } else {
    answer = encode_error(shut_down_error(request, ended.error()));
  }
  co_return co_await writer_.write(answer);
}

asio::awaitable<void> ClientDrains::release_leases() {
  for (const LeaseId id : leases_.take_all()) {
    // Fails for leases that have already ended on their own.
    std::ignore = co_await aggregator_.release(id);
  }
}

asio::awaitable<error_code> ClientDrains::write_frames(const Request& request,
                                                       const Drained& drained,
                                                       std::optional<LeaseId> lease) {
  if (request.drain.format == FrameFormat::json) {
    return write_json(request, drained, lease);
  }
  return write_binary(request, drained, lease);
}

asio::awaitable<error_code> ClientDrains::write_json(const Request& request, const Drained& drained,
                                                     std::optional<LeaseId> lease) {
  const Envelope envelope = envelope_for(request);
  std::string lease_field;
  if (request.drain.lease) {
    lease_field = lease ? fmt::format(R"(,"lease":{})", *lease) : R"(,"lease":null)";
  }
  DrainJsonEncoder encoder(drained, std::move(lease_field));
  co_return co_await write_in_pieces(writer_, envelope, encoder);
}

asio::awaitable<error_code> ClientDrains::write_binary(const Request& request,
                                                       const Drained& drained,
                                                       std::optional<LeaseId> lease) {
  Json result = {{"frames", drained.taken.frames},
                 {"bytes", drained.taken.bytes},
                 {"remaining", drained.remaining}};
  if (request.drain.lease) {
    result["lease"] = lease ? Json(*lease) : Json(nullptr);
  }
  if (Json redelivered = redelivered_ranges(drained); !redelivered.empty()) {
    result["redelivered"] = std::move(redelivered);
  }
  const std::string head = encode_result(request, result);
  error_code ec = co_await writer_.write(head);
  DrainBinaryEncoder encoder(drained);
  std::vector<asio::const_buffer> piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await writer_.write(piece);
  }
  co_return ec;
}

}  // namespace meridian::control
