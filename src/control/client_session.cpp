#include "control/client_session.hpp"

#include "control/drain_encoder.hpp"
#include "control/tail_stream.hpp"
#include "runtime/log_level.hpp"
#include "status/list_encoder.hpp"
#include "status/version.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace meridian::control {

namespace {

using status::Json;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 4096;

Json version_json() {
  return {{"name", "meridiand"}, {"version", status::version}, {"build", status::build}};
}

/// A reply of the aggregator as JSON, or its error.
template <typename T, typename Convert>
std::variant<Json, error_code> convert(const boost::system::result<T>& reply, Convert to_json) {
  if (!reply) {
    return reply.error();
  }
  return to_json(*reply);
}

Error shut_down(const Request& request, const error_code& ec) {
  return {ErrorCode::shut_down, ec.message() + ": ask again once the daemon runs",
          request.id.value_or(nullptr)};
}

bool is_about_lease(const error_code& ec) {
  return ec == Errc::lease_unknown || ec == Errc::lease_expired || ec == Errc::lease_evicted;
}

std::string what_to_do(LeaseId id, const error_code& ec) {
  if (ec == Errc::lease_evicted) {
    return fmt::format("lease {}: {}; ask for fewer frames at a time, or commit sooner", id,
                       ec.message());
  }
  if (ec == Errc::lease_expired) {
    return fmt::format("lease {}: {}; drain them once more, with a longer lease_s", id,
                       ec.message());
  }
  return fmt::format("lease {}: there is no such lease of this connection", id);
}

}  // namespace

ClientSession::ClientSession(asio::local::stream_protocol::socket socket,
                             std::shared_ptr<const Context> context)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      writer_(std::make_shared<ReplyWriter>(socket_, [this] { cut_off_for_not_reading(); })),
      request_log_(std::make_shared<RequestLog>(socket_.get_executor(), peer_of(socket_))) {}

asio::awaitable<void> ClientSession::run() {
  while (!closed_) {
    std::optional<std::string> line = co_await read_line();
    if (!line) {
      break;
    }
    co_await answer_line(*std::move(line));
  }
  close();
  co_await release_leases();
  request_log_->close();
}

void ClientSession::stop() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
}

void ClientSession::close() {
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<std::optional<std::string>> ClientSession::read_line() {
  for (;;) {
    std::optional<std::string> line = take_line();
    if (line || end_of_stream_) {
      co_return line;
    }
    if (received_.size() > context_->max_request_bytes) {
      co_await refuse_long_line();
      co_return std::nullopt;
    }
    const std::size_t old_size = received_.size();
    received_.resize(old_size + read_bytes);
    const auto room = asio::buffer(received_.data() + old_size, read_bytes);
    const auto [ec, bytes] = co_await socket_.async_read_some(room, use_tuple);
    received_.resize(old_size + bytes);
    if (ec && ec != asio::error::eof) {
      co_return std::nullopt;  // a line that was cut off is not a request
    }
    end_of_stream_ = ec == asio::error::eof;
  }
}

std::optional<std::string> ClientSession::take_line() {
  const std::size_t end = received_.find('\n', searched_);
  if (end > context_->max_request_bytes && end != std::string::npos) {
    return std::nullopt;
  }
  std::string line;
  if (end != std::string::npos) {
    line = received_.substr(0, end);
    received_.erase(0, end + 1);
    searched_ = 0;
    return line;
  }
  searched_ = received_.size();
  if (end_of_stream_ && !received_.empty() && received_.size() <= context_->max_request_bytes) {
    return std::exchange(received_, {});  // the last line may lack its end
  }
  return std::nullopt;
}

asio::awaitable<void> ClientSession::refuse_long_line() {
  context_->services.sources.control_clients.cut_off(status::CutOff::request_too_long);
  spdlog::warn("control client cut off: a line of more than {} octets",
               context_->max_request_bytes.load());
  const std::string answer =
      encode_error({ErrorCode::request_too_long,
                    fmt::format("a line has at most {} octets: send shorter ones, or raise "
                                "control.max_request_bytes",
                                context_->max_request_bytes.load())});
  std::ignore = co_await write(answer);
}

asio::awaitable<void> ClientSession::answer_line(std::string line) {
  std::variant<Request, Error> parsed = parse_request(line);
  if (auto* const request = std::get_if<Request>(&parsed)) {
    co_await answer(std::move(*request));
    co_return;
  }
  const auto& error = std::get<Error>(parsed);
  if (error.to_notification) {
    note_refused_notification(error.message);
    co_return;
  }
  const std::string refusal = encode_error(error);
  std::ignore = co_await write(refusal);
}

asio::awaitable<void> ClientSession::answer(Request request) {
  switch (request.method) {
    case Method::drain:
      co_await answer_drain(std::move(request));
      break;
    case Method::commit:
    case Method::release:
      co_await answer_lease_end(std::move(request));
      break;
    case Method::tail:
      co_await answer_tail(std::move(request));
      break;
    case Method::reload:
      co_await answer_reload(std::move(request));
      break;
    case Method::log_level:
      co_await answer_log_level(std::move(request));
      break;
    case Method::uplinks:
      co_await answer_uplinks(std::move(request));
      break;
    case Method::satellites:
      co_await answer_satellites(std::move(request));
      break;
    default:
      co_await answer_in_whole(std::move(request));
  }
}

asio::awaitable<void> ClientSession::answer_in_whole(Request request) {
  const std::variant<Json, error_code> result = co_await result_of(request.method);
  if (!request.id) {
    co_return;
  }
  const auto* const json = std::get_if<Json>(&result);
  const std::string text = json != nullptr
                               ? encode_result(request, *json)
                               : encode_error(shut_down(request, std::get<error_code>(result)));
  std::ignore = co_await write(text);
}

asio::awaitable<std::variant<Json, error_code>> ClientSession::result_of(Method method) {
  const AggregatorHandle& aggregator = context_->services.sources.aggregator;
  switch (method) {
    case Method::depth: {
      const auto reply = co_await aggregator.depth();
      co_return convert(reply, [](const Depth& depth) { return status::to_json(depth); });
    }
    case Method::flush: {
      const auto reply = co_await aggregator.flush();
      if (reply) {
        request_log_->did(fmt::format("flush: discarded {} frames", *reply));
      }
      co_return convert(reply, [](std::uint64_t frames) { return Json{{"discarded", frames}}; });
    }
    case Method::stats: {
      const auto reply = co_await context_->services.sources.stats();
      co_return convert(reply, [](const status::Stats& stats) { return status::to_json(stats); });
    }
    case Method::sinks: {
      const status::SinkTable& sinks = context_->services.sources.sinks;
      const auto reply = co_await aggregator.stats();
      const auto now =
          std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      co_return convert(reply, [&](const AggregatorStats& stats) {
        return status::sinks_json(sinks, stats.consumers, now);
      });
    }
    case Method::health: {
      const status::Sources& sources = context_->services.sources;
      const status::Verdict alive = sources.health();
      const status::Verdict ready = co_await sources.readiness();
      co_return Json{{"alive", alive.reason}, {"ready", ready.reason}};
    }
    case Method::version:
    case Method::drain:
    case Method::commit:
    case Method::release:
    case Method::tail:
    case Method::reload:
    case Method::log_level:
    case Method::uplinks:
    case Method::satellites:  // answered elsewhere
      break;
  }
  co_return version_json();
}

asio::awaitable<void> ClientSession::answer_drain(Request request) {
  if (!request.id) {
    note_refused_notification("the frames of a drain would be gone for nobody");
    co_return;
  }
  if (request.drain.lease) {
    co_await answer_leased_drain(std::move(request));
    co_return;
  }
  DrainQuery query;
  query.max_frames = request.drain.max_frames;
  query.satellite_id = request.drain.satellite_id;
  query.lend = true;
  auto drained = co_await context_->services.sources.aggregator.drain(query);
  if (!drained) {
    const std::string refusal = encode_error(shut_down(request, drained.error()));
    std::ignore = co_await write(refusal);
    co_return;
  }
  const error_code ec = co_await write_frames(request, *drained, std::nullopt);
  if (ec) {
    request_log_->did(
        fmt::format("drain: given up by its client, {} frames go back", drained->taken.frames));
    std::ignore = co_await context_->services.sources.aggregator.put_back(*std::move(drained));
    co_return;
  }
  request_log_->drained(drained->taken.frames);
  std::ignore = co_await context_->services.sources.aggregator.settle(*drained);
}

asio::awaitable<void> ClientSession::answer_leased_drain(Request request) {
  const auto now = HeldLeases::Clock::now();
  if (!leases_.has_room(now)) {
    const std::string refusal = encode_error(
        {ErrorCode::too_many_leases,
         fmt::format("this connection has {} leases: commit or release some", HeldLeases::most),
         *request.id});
    std::ignore = co_await write(refusal);
    co_return;
  }
  LeaseQuery query;
  query.max_frames = request.drain.max_frames;
  query.satellite_id = request.drain.satellite_id;
  query.duration = *request.drain.lease;
  const auto leased = co_await context_->services.sources.aggregator.lease(query);
  if (!leased) {
    const std::string refusal = encode_error(shut_down(request, leased.error()));
    std::ignore = co_await write(refusal);
    co_return;
  }
  if (leased->id) {
    leases_.add(*leased->id, HeldLeases::Clock::now() + query.duration);
  }
  // Where this fails the session ends, and the lease with it.
  const error_code ec = co_await write_frames(request, leased->frames, leased->id);
  if (ec) {
    request_log_->did(fmt::format("drain: given up by its client, {} leased frames go back",
                                  leased->frames.taken.frames));
  }
}

asio::awaitable<void> ClientSession::answer_lease_end(Request request) {
  const bool commits = request.method == Method::commit;
  const AggregatorHandle& aggregator = context_->services.sources.aggregator;
  boost::system::result<Depth> ended = error_code(Errc::lease_unknown);
  if (leases_.remove(request.lease)) {
    if (commits) {
      ended = co_await aggregator.commit(request.lease);
    } else {
      ended = co_await aggregator.release(request.lease);
    }
  }
  if (ended && commits) {
    request_log_->drained(ended->frames);
  }
  if (!request.id) {
    if (!ended) {
      note_refused_notification(ended.error().message());
    }
    co_return;
  }
  std::string answer;
  if (ended) {
    answer = encode_result(request, Json{{commits ? "committed" : "released", ended->frames}});
  } else if (is_about_lease(ended.error())) {
    answer = encode_error(
        {ErrorCode::lease_ended, what_to_do(request.lease, ended.error()), *request.id});
  } else {
    answer = encode_error(shut_down(request, ended.error()));
  }
  std::ignore = co_await write(answer);
}

asio::awaitable<void> ClientSession::release_leases() {
  for (const LeaseId id : leases_.take_all()) {
    // Fails for those that have ended by themselves.
    std::ignore = co_await context_->services.sources.aggregator.release(id);
  }
}

asio::awaitable<void> ClientSession::answer_reload(Request request) {
  request_log_->did("reload");
  const ReloadOutcome outcome = co_await context_->services.reload();
  if (!request.id) {
    co_return;
  }
  const auto* const refused = std::get_if<ReloadRefused>(&outcome);
  std::string answer;
  if (refused != nullptr) {
    answer = encode_error({ErrorCode::reload_refused, refused->reason, *request.id});
  } else {
    const auto& report = std::get<ReloadReport>(outcome);
    answer = encode_result(
        request, Json{{"changed", report.changed}, {"needs_restart", report.needs_restart}});
  }
  std::ignore = co_await write(answer);
}

asio::awaitable<void> ClientSession::answer_tail(Request request) {
  if (!request.id) {
    note_refused_notification("a tail would be written to nobody");
    co_return;
  }
  const auto told = co_await stream_tail(socket_, context_->services.sources.aggregator, request);
  if (told) {
    const std::string result = encode_result(
        request, Json{{"frames", told->frames}, {"bytes", told->bytes}, {"lost", told->lost}});
    std::ignore = co_await write(result);
    co_return;
  }
  // Where it is the client that has gone, nobody would read this; and Asio waits for ever with a
  // write behind one that has failed.
  if (told.error().category() == error_code(Errc::reply_dropped).category()) {
    const std::string refusal = encode_error(shut_down(request, told.error()));
    std::ignore = co_await write(refusal);
  }
  close();
}

asio::awaitable<void> ClientSession::answer_log_level(Request request) {
  const auto level = runtime::log_level_from(request.log_level);
  std::string answer;
  if (level) {
    spdlog::logger& logger = *spdlog::default_logger_raw();
    const auto before = runtime::name_of(logger.level());
    // This is logged whatever the two levels are.
    logger.set_level(spdlog::level::info);
    request_log_->did(fmt::format("log level {}, was {}", request.log_level, before));
    logger.set_level(*level);
    answer = encode_result(request, Json{{"level", request.log_level}, {"before", before}});
  } else {
    answer = encode_error({ErrorCode::invalid_params,
                           fmt::format("level must be one of {}", runtime::log_level_names),
                           request.id.value_or(nullptr)});
  }
  if (request.id) {
    std::ignore = co_await write(answer);
  }
}

asio::awaitable<void> ClientSession::answer_uplinks(Request request) {
  if (!request.id) {
    co_return;
  }
  const Envelope envelope = envelope_for(request);
  const status::UplinkTable::Snapshot uplinks = context_->services.sources.uplinks.snapshot();
  error_code ec = co_await write(envelope.before);
  status::UplinksEncoder encoder(uplinks);
  std::string piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await write(piece);
  }
  if (!ec) {
    std::ignore = co_await write(envelope.after);
  }
}

asio::awaitable<void> ClientSession::answer_satellites(Request request) {
  if (!request.id) {
    co_return;
  }
  const Envelope envelope = envelope_for(request);
  status::SatellitesEncoder encoder(context_->services.sources.silence.silent());
  error_code ec;
  std::size_t rows = 0;
  for (bool more = true; more && !ec;) {
    auto page =
        co_await context_->services.sources.aggregator.origins(rows, status::rows_per_piece);
    if (!page && rows == 0) {
      const std::string refusal = encode_error(shut_down(request, page.error()));
      std::ignore = co_await write(refusal);
      co_return;
    }
    if (!page) {
      close();  // in the middle of an answer there is no way to say why
      co_return;
    }
    const std::string piece =
        (rows == 0 ? envelope.before + encoder.begin() : "") + encoder.page(*page);
    ec = co_await write(piece);
    rows += page->size();
    more = page->size() == status::rows_per_piece;
  }
  if (!ec) {
    const std::string rest = encoder.end() + envelope.after;
    std::ignore = co_await write(rest);
  }
}

asio::awaitable<error_code> ClientSession::write_frames(const Request& request,
                                                        const Drained& drained,
                                                        std::optional<LeaseId> lease) {
  if (request.drain.format == FrameFormat::json) {
    return write_json(request, drained, lease);
  }
  return write_binary(request, drained, lease);
}

asio::awaitable<error_code> ClientSession::write_json(const Request& request,
                                                      const Drained& drained,
                                                      std::optional<LeaseId> lease) {
  const Envelope envelope = envelope_for(request);
  error_code ec = co_await write(envelope.before);
  std::string lease_field;
  if (request.drain.lease) {
    lease_field = lease ? fmt::format(R"(,"lease":{})", *lease) : R"(,"lease":null)";
  }
  DrainJsonEncoder encoder(drained, std::move(lease_field));
  std::string piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await write(piece);
  }
  if (!ec) {
    ec = co_await write(envelope.after);
  }
  co_return ec;
}

asio::awaitable<error_code> ClientSession::write_binary(const Request& request,
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
  error_code ec = co_await write(head);
  DrainBinaryEncoder encoder(drained);
  std::vector<asio::const_buffer> piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await write(piece);
  }
  co_return ec;
}

asio::awaitable<error_code> ClientSession::write(std::string_view text) {
  const error_code ec = co_await writer_->write(text);
  if (ec) {
    close();
  }
  co_return ec;
}

asio::awaitable<error_code> ClientSession::write(std::vector<asio::const_buffer> buffers) {
  const error_code ec = co_await writer_->write(std::move(buffers));
  if (ec) {
    close();
  }
  co_return ec;
}

void ClientSession::note_refused_notification(std::string_view why) {
  if (const auto held_back = notification_log_.admit(runtime::LogLimit::Clock::now())) {
    spdlog::warn(
        "control client sent a notification that is not carried out: {} ({} more since the last "
        "message)",
        why, *held_back);
  }
}

void ClientSession::cut_off_for_not_reading() {
  context_->services.sources.control_clients.cut_off(status::CutOff::not_reading);
  spdlog::warn("control client cut off: did not read its answer for {} s",
               ReplyWriter::usual_patience.count());
  close();
}

}  // namespace meridian::control
