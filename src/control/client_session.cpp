#include "control/client_session.hpp"

#include "control/methods.hpp"
#include "control/tail_stream.hpp"
#include "runtime/log_level.hpp"
#include "runtime/rethrow.hpp"
#include "status/list_encoder.hpp"
#include "status/version.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>

namespace meridian::control {

namespace {

using status::Json;

/// How long a client may be idle before it must give way to another.
constexpr std::chrono::seconds thinking_time{5};

Json version_json() {
  return {{"name", "meridiand"}, {"version", status::version}, {"build", status::build}};
}

/// The aggregator's reply as JSON, or its error.
template <typename T, typename Convert>
std::variant<Json, error_code> convert(const boost::system::result<T>& reply, Convert to_json) {
  if (!reply) {
    return reply.error();
  }
  return to_json(*reply);
}

}  // namespace

ClientSession::ClientSession(asio::local::stream_protocol::socket socket,
                             std::shared_ptr<const Context> context, const Peer& peer, Role role)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      peer_(peer),
      role_(role),
      writer_(std::make_shared<ReplyWriter>(socket_, [this] { cut_off_for_not_reading(); })),
      request_log_(std::make_shared<RequestLog>(socket_.get_executor(), peer_)),
      lines_(socket_, context_->max_request_bytes),
      drains_(context_->services.sources.aggregator, *writer_, *request_log_),
      idle_timer_(socket_.get_executor()) {}

asio::awaitable<void> ClientSession::run() {
  std::exception_ptr fault;
  try {
    co_await answer_lines();
  } catch (...) {
    fault = std::current_exception();
  }
  close();
  co_await drains_.release_leases();
  request_log_->close();
  runtime::rethrow(fault);
}

asio::awaitable<void> ClientSession::answer_lines() {
  error_code ec;
  while (!ec && !closed_) {
    watch_idle();
    waiting_since_ = asio::steady_timer::clock_type::now();
    std::optional<std::string> line = co_await lines_.next();
    waiting_since_.reset();
    ++request_;
    idle_timer_.cancel();
    // A request that follows a farewell is not carried out.
    if (!line || closed_) {
      break;
    }
    ec = co_await answer_line(*std::move(line));
  }
  if (lines_.line_too_long()) {
    co_await refuse_long_line();
  }
}

void ClientSession::stop() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
}

void ClientSession::close() {
  closed_ = true;
  idle_timer_.cancel();  // after a fault it may still run, and would keep the daemon from ending
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> ClientSession::refuse_long_line() {
  context_->services.sources.control_clients.cut_off(status::CutOff::request_too_long);
  request_log_->cut_off(
      status::CutOff::request_too_long,
      fmt::format("sent a line of more than {} bytes", context_->max_request_bytes.load()));
  const std::string answer =
      encode_error({ErrorCode::request_too_long,
                    fmt::format("a line may have at most {} bytes: send shorter ones, or raise "
                                "control.max_request_bytes",
                                context_->max_request_bytes.load())});
  std::ignore = co_await writer_->write(answer);
}

asio::awaitable<error_code> ClientSession::answer_line(std::string line) {
  std::variant<Request, Error> parsed = parse_request(line);
  if (auto* const request = std::get_if<Request>(&parsed)) {
    if (role_ == Role::reader && facts_of(request->method).changes_something) {
      co_return co_await refuse_change(std::move(*request));
    }
    co_return co_await answer(std::move(*request));
  }
  const auto& error = std::get<Error>(parsed);
  if (error.to_notification) {
    request_log_->refused_notification(error.message);
    co_return error_code();
  }
  const std::string refusal = encode_error(error);
  co_return co_await writer_->write(refusal);
}

asio::awaitable<error_code> ClientSession::refuse_change(Request request) {
  const std::string why = fmt::format(
      "uid {} has read-only access; ask a member of the group in control.group", peer_.uid);
  if (!request.id) {
    request_log_->refused_notification(why);
    co_return error_code();
  }
  const std::string refusal = encode_error({ErrorCode::not_allowed, why, *request.id});
  co_return co_await writer_->write(refusal);
}

asio::awaitable<error_code> ClientSession::answer(Request request) {
  switch (request.method) {
    case Method::drain:
      return drains_.answer_drain(std::move(request));
    case Method::commit:
    case Method::release:
      return drains_.answer_lease_end(std::move(request));
    case Method::tail:
      return answer_tail(std::move(request));
    case Method::reload:
      return answer_reload(std::move(request));
    case Method::log_level:
      return answer_log_level(std::move(request));
    case Method::forget:
      return answer_forget(std::move(request));
    case Method::uplinks:
      return answer_uplinks(std::move(request));
    case Method::satellites:
      return answer_satellites(std::move(request));
    default:
      return answer_in_whole(std::move(request));
  }
}

asio::awaitable<error_code> ClientSession::answer_in_whole(Request request) {
  const std::variant<Json, error_code> result = co_await result_of(request.method);
  if (!request.id) {
    co_return error_code();
  }
  const auto* const json = std::get_if<Json>(&result);
  const std::string text =
      json != nullptr ? encode_result(request, *json)
                      : encode_error(shut_down_error(request, std::get<error_code>(result)));
  co_return co_await writer_->write(text);
}

asio::awaitable<std::variant<Json, error_code>> ClientSession::result_of(Method method) {
  const AggregatorHandle& aggregator = context_->services.sources.aggregator;
  switch (method) {
    case Method::depth: {
      const auto reply = co_await aggregator.depth();
      co_return convert(reply, [](const Amount& depth) { return status::to_json(depth); });
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
      co_return version_json();
    case Method::drain:
    case Method::commit:
    case Method::release:
    case Method::tail:
    case Method::reload:
    case Method::log_level:
    case Method::uplinks:
    case Method::satellites:
    case Method::forget:
      break;
  }
  throw std::logic_error("this method has an answer of its own");
}

asio::awaitable<error_code> ClientSession::answer_reload(Request request) {
  request_log_->did("reload");
  const ReloadOutcome outcome = co_await context_->services.reload();
  if (!request.id) {
    co_return error_code();
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
  co_return co_await writer_->write(answer);
}

asio::awaitable<error_code> ClientSession::answer_forget(Request request) {
  const ForgetParams& params = request.forget;
  const auto forgotten =
      co_await context_->services.sources.aggregator.forget(params.satellite_id, params.channel_id);
  if (forgotten) {
    const std::string channel =
        params.channel_id ? fmt::format(", channel {}", *params.channel_id) : "";
    request_log_->did(fmt::format("forget: satellite {}{}: {} channels", params.satellite_id,
                                  channel, *forgotten));
  }
  if (!request.id) {
    co_return error_code();
  }
  const std::string answer = forgotten ? encode_result(request, Json{{"forgotten", *forgotten}})
                                       : encode_error(shut_down_error(request, forgotten.error()));
  co_return co_await writer_->write(answer);
}

asio::awaitable<error_code> ClientSession::answer_tail(Request request) {
  if (!request.id) {
    request_log_->refused_notification(
        "a tail needs an id, since its frames would otherwise be sent to no client");
    co_return error_code();
  }
  const auto told =
      co_await stream_tail(socket_, context_->services.sources.aggregator, request, tail_is_quiet_);
  if (told) {
    const std::string result = encode_result(
        request, Json{{"frames", told->frames}, {"bytes", told->bytes}, {"lost", told->lost}});
    co_return co_await writer_->write(result);
  }
  // If the client has gone, it would not read this; and in Asio, a write after a failed one waits
  // for ever.
  if (told.error().category() == error_code(Errc::reply_dropped).category()) {
    const std::string refusal = encode_error(shut_down_error(request, told.error()));
    std::ignore = co_await writer_->write(refusal);
  }
  co_return told.error();
}

asio::awaitable<error_code> ClientSession::answer_log_level(Request request) {
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
                           request.id.value_or(RequestId())});
  }
  if (request.id) {
    co_return co_await writer_->write(answer);
  }
  co_return error_code();
}

asio::awaitable<error_code> ClientSession::answer_uplinks(Request request) {
  if (!request.id) {
    co_return error_code();
  }
  const Envelope envelope = envelope_for(request);
  const status::UplinkTable::Snapshot uplinks = context_->services.sources.uplinks.snapshot();
  error_code ec = co_await writer_->write(envelope.before);
  status::UplinksEncoder encoder(uplinks);
  std::string piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await writer_->write(piece);
  }
  if (!ec) {
    ec = co_await writer_->write(envelope.after);
  }
  co_return ec;
}

asio::awaitable<error_code> ClientSession::answer_satellites(Request request) {
  if (!request.id) {
    co_return error_code();
  }
  const Envelope envelope = envelope_for(request);
  status::SatellitesEncoder encoder(context_->services.sources.silence.silent());
  error_code ec;
  std::size_t place = 0;
  for (bool more = true; more && !ec;) {
    const auto page =
        co_await context_->services.sources.aggregator.origin_page(place, status::rows_per_piece);
    if (!page && place == 0) {
      const std::string refusal = encode_error(shut_down_error(request, page.error()));
      co_return co_await writer_->write(refusal);
    }
    if (!page) {
      co_return page.error();  // in the middle of an answer there is no way to say why
    }
    const std::string piece =
        (place == 0 ? envelope.before + encoder.begin() : "") + encoder.page(page->rows);
    ec = co_await writer_->write(piece);
    place = page->next;
    more = !page->at_end;
  }
  if (!ec) {
    const std::string rest = encoder.end() + envelope.after;
    ec = co_await writer_->write(rest);
  }
  co_return ec;
}

void ClientSession::cut_off_for_not_reading() {
  context_->services.sources.control_clients.cut_off(status::CutOff::not_reading);
  request_log_->cut_off(
      status::CutOff::not_reading,
      fmt::format("did not read its answer for {} s", ReplyWriter::usual_patience.count()));
  close();
}

void ClientSession::watch_idle() {
  const std::chrono::seconds timeout = context_->idle_timeout;
  if (timeout.count() == 0) {
    return;
  }
  idle_timer_.expires_after(timeout);
  idle_timer_.async_wait(
      [self = shared_from_this(), request = request_](const error_code& cancelled) {
        if (cancelled || self->closed_ || self->request_ != request) {
          return;
        }
        if (self->drains_.holds_leases()) {
          self->watch_idle();  // it is working on its frames
        } else {
          self->cut_off_for_idleness(self->context_->idle_timeout, "raise control.idle_timeout_s");
        }
      });
}

void ClientSession::give_way() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    if (self->closed_ || !self->waiting_since_ || self->drains_.holds_leases()) {
      return;
    }
    const auto idle = std::chrono::floor<std::chrono::seconds>(
        asio::steady_timer::clock_type::now() - *self->waiting_since_);
    if (idle >= thinking_time) {
      self->cut_off_for_idleness(
          idle, "raise control.max_clients, since another client needed this place");
    }
  });
}

void ClientSession::leave_place() {
  has_left_place_ = true;
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    if (self->closed_) {
      return;
    }
    self->context_->services.sources.control_clients.cut_off(status::CutOff::client_limit);
    self->request_log_->cut_off(status::CutOff::client_limit,
                                "a client that may do everything needed its place");
    if (self->waiting_since_ || self->tail_is_quiet_) {
      self->close_with({ErrorCode::too_many_clients,
                        "a client that may do everything needed this place: connect again later, "
                        "or raise control.max_clients"});
    } else {
      self->close();  // a farewell would be in the middle of an answer
    }
  });
}

void ClientSession::cut_off_for_idleness(std::chrono::seconds idle, std::string_view advice) {
  context_->services.sources.control_clients.cut_off(status::CutOff::idle);
  request_log_->cut_off(status::CutOff::idle,
                        fmt::format("sent no request for {} s", idle.count()));
  close_with({ErrorCode::idle,
              fmt::format("no request for {} s: connect again, or {}", idle.count(), advice)});
}

void ClientSession::close_with(const Error& why) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(asio::buffer(encode_error(why)), ignored);
  close();
}

}  // namespace meridian::control
