#include "control/client_session.hpp"

#include "control/methods.hpp"
#include "control/tail_stream.hpp"
#include "runtime/rethrow.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <fmt/format.h>

#include <exception>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

namespace meridian::control {

ClientSession::ClientSession(asio::local::stream_protocol::socket socket,
                             std::shared_ptr<const Context> context, const Peer& peer, Role role)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      peer_(peer),
      role_(role),
      tenure_(runtime::Tenure::Clock::now()),
      writer_(std::make_shared<ReplyWriter>(socket_, [this] { cut_off_for_not_reading(); })),
      request_log_(std::make_shared<RequestLog>(socket_.get_executor(), peer_)),
      lines_(socket_, context_->max_request_bytes),
      lifecycle_(leases_),
      drains_(context_->services.sources.aggregator, leases_, *writer_, *request_log_),
      answers_(context_->services, *writer_, *request_log_),
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
  while (!ec && !lifecycle_.has_ended()) {
    watch_idle(lifecycle_.wait_for_request(ClientLifecycle::Clock::now()));
    std::optional<std::string> line = co_await lines_.next();
    lifecycle_.answer();
    idle_timer_.cancel();
    // Carries out no request of a client that was cut off meanwhile.
    if (!line || lifecycle_.has_ended()) {
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
  lifecycle_.end();
  idle_timer_.cancel();  // it may still run after a fault, and would keep the daemon from ending
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
    default:
      return answers_.answer(std::move(request));
  }
}

asio::awaitable<error_code> ClientSession::answer_tail(Request request) {
  if (!request.id) {
    request_log_->refused_notification(
        "a tail needs an id, since its frames would otherwise be sent to no client");
    co_return error_code();
  }
  const auto told =
      co_await stream_tail(socket_, context_->services.sources.aggregator, request, lifecycle_);
  if (told) {
    const std::string result = encode_result(
        request,
        status::Json{{"frames", told->frames}, {"bytes", told->bytes}, {"lost", told->lost}});
    co_return co_await writer_->write(result);
  }
  // A client that has gone would not read this, and in Asio a write after a failed one waits for
  // ever.
  if (told.error().category() == error_code(Errc::reply_dropped).category()) {
    const std::string refusal = encode_error(shut_down_error(request, told.error()));
    std::ignore = co_await writer_->write(refusal);
  }
  co_return told.error();
}

void ClientSession::cut_off_for_not_reading() {
  context_->services.sources.control_clients.cut_off(status::CutOff::not_reading);
  request_log_->cut_off(
      status::CutOff::not_reading,
      fmt::format("did not read its answer for {} s", ReplyWriter::usual_patience.count()));
  close();
}

void ClientSession::watch_idle(ClientLifecycle::Wait wait) {
  const std::chrono::seconds timeout = context_->idle_timeout;
  if (timeout.count() == 0) {
    return;
  }
  idle_timer_.expires_after(timeout);
  idle_timer_.async_wait([self = shared_from_this(), wait, timeout](const error_code& cancelled) {
    if (!cancelled) {
      self->end_if_idle(wait, timeout);
    }
  });
}

void ClientSession::end_if_idle(ClientLifecycle::Wait wait, std::chrono::seconds timeout) {
  switch (lifecycle_.at_timeout(wait, ClientLifecycle::Clock::now())) {
    case ClientLifecycle::AtTimeout::nothing:
      return;
    case ClientLifecycle::AtTimeout::wait_longer:
      watch_idle(wait);
      return;
    case ClientLifecycle::AtTimeout::cut_off:
      if (context_->idle_timeout.load().count() > 0) {  // a reload may have lifted the limit
        cut_off_for_idleness(timeout, "raise control.idle_timeout_s");
      }
      return;
  }
}

void ClientSession::give_way() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    const auto idle = self->lifecycle_.idle_time_to_give_way(ClientLifecycle::Clock::now());
    if (idle) {
      self->cut_off_for_idleness(
          *idle, "raise control.max_clients, since another client needed this place");
    }
  });
}

void ClientSession::leave_place() {
  tenure_.end();
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    if (self->lifecycle_.has_ended()) {
      return;
    }
    self->context_->services.sources.control_clients.cut_off(status::CutOff::client_limit);
    self->request_log_->cut_off(status::CutOff::client_limit,
                                "a client that may do everything needed its place");
    if (self->lifecycle_.can_be_told()) {
      self->close_with({ErrorCode::too_many_clients,
                        "a client that may do everything needed this place: connect again later, "
                        "or raise control.max_clients"});
    } else {
      self->close();  // the reason would be in the middle of an answer
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
