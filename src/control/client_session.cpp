#include "control/client_session.hpp"

#include "control/drain_encoder.hpp"
#include "status/version.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

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

}  // namespace

ClientSession::ClientSession(asio::local::stream_protocol::socket socket,
                             std::shared_ptr<const Context> context)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      write_timer_(socket_.get_executor()) {}

asio::awaitable<void> ClientSession::run() {
  while (!closed_) {
    std::optional<std::string> line = co_await read_line();
    if (!line) {
      break;
    }
    co_await answer_line(*std::move(line));
  }
  close();
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
    end_of_stream_ = ec.failed();
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
  context_->counters.cut_off(status::CutOff::request_too_long);
  spdlog::warn("control client cut off: a line of more than {} octets",
               context_->max_request_bytes);
  const std::string answer =
      encode_error({ErrorCode::request_too_long,
                    fmt::format("a line has at most {} octets: send shorter ones, or raise "
                                "control.max_request_bytes",
                                context_->max_request_bytes)});
  std::ignore = co_await write_text(answer);
}

asio::awaitable<void> ClientSession::answer_line(std::string line) {
  std::variant<Request, Error> parsed = parse_request(line);
  if (auto* const request = std::get_if<Request>(&parsed)) {
    co_await answer(std::move(*request));
    co_return;
  }
  const auto& error = std::get<Error>(parsed);
  if (error.to_notification) {
    spdlog::warn("control client sent a notification that cannot be carried out: {}",
                 error.message);
    co_return;
  }
  const std::string refusal = encode_error(error);
  std::ignore = co_await write_text(refusal);
}

asio::awaitable<void> ClientSession::answer(Request request) {
  if (request.method == Method::drain) {
    co_await answer_drain(std::move(request));
    co_return;
  }
  const std::variant<Json, error_code> result = co_await result_of(request.method);
  if (!request.id) {
    co_return;
  }
  const auto* const json = std::get_if<Json>(&result);
  const std::string text = json != nullptr
                               ? encode_result(request, *json)
                               : encode_error(shut_down(request, std::get<error_code>(result)));
  std::ignore = co_await write_text(text);
}

asio::awaitable<std::variant<Json, error_code>> ClientSession::result_of(Method method) {
  const AggregatorHandle& aggregator = context_->aggregator;
  switch (method) {
    case Method::depth: {
      const auto reply = co_await aggregator.depth();
      co_return convert(reply, [](const Depth& depth) { return status::to_json(depth); });
    }
    case Method::flush: {
      const auto reply = co_await aggregator.flush();
      co_return convert(reply, [](std::uint64_t frames) { return Json{{"discarded", frames}}; });
    }
    case Method::stats: {
      const auto reply = co_await aggregator.stats();
      co_return convert(reply, [this](const AggregatorStats& stats) {
        const auto uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - context_->started_at);
        return status::to_json(stats, context_->uplinks.counts(), context_->counters.counts(),
                               uptime);
      });
    }
    case Method::uplinks:
      co_return status::to_json(context_->uplinks.snapshot());
    case Method::satellites: {
      const auto reply = co_await aggregator.origins();
      co_return convert(
          reply, [](const std::vector<OriginStats>& origins) { return status::to_json(origins); });
    }
    case Method::version:
    case Method::drain:  // answered in pieces, elsewhere
      break;
  }
  co_return version_json();
}

asio::awaitable<void> ClientSession::answer_drain(Request request) {
  if (!request.id) {
    // Without an answer the frames would be gone for nobody.
    spdlog::warn("control client sent a drain as a notification: not carried out");
    co_return;
  }
  DrainQuery query;
  query.max_frames = request.drain.max_frames;
  query.satellite_id = request.drain.satellite_id;
  auto drained = co_await context_->aggregator.drain(query);
  if (!drained) {
    const std::string refusal = encode_error(shut_down(request, drained.error()));
    std::ignore = co_await write_text(refusal);
    co_return;
  }
  const error_code ec = co_await write_drained(request, *drained);
  if (ec) {
    spdlog::warn("control client went away in the middle of a drain: {} frames go back",
                 drained->taken.frames);
    std::ignore = co_await context_->aggregator.put_back(std::move(drained->batches));
  }
}

asio::awaitable<error_code> ClientSession::write_drained(const Request& request,
                                                         const Drained& drained) {
  return request.drain.format == DrainFormat::json ? write_json(request, drained)
                                                   : write_binary(request, drained);
}

asio::awaitable<error_code> ClientSession::write_json(const Request& request,
                                                      const Drained& drained) {
  const Envelope envelope = envelope_for(request);
  error_code ec = co_await write_text(envelope.before);
  DrainJsonEncoder encoder(drained);
  std::string piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await write_text(piece);
  }
  if (!ec) {
    ec = co_await write_text(envelope.after);
  }
  co_return ec;
}

asio::awaitable<error_code> ClientSession::write_binary(const Request& request,
                                                        const Drained& drained) {
  const std::string head = encode_result(request, Json{{"frames", drained.taken.frames},
                                                       {"bytes", drained.taken.bytes},
                                                       {"remaining", drained.remaining}});
  error_code ec = co_await write_text(head);
  DrainBinaryEncoder encoder(drained);
  std::vector<asio::const_buffer> piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await write_piece(piece);
  }
  co_return ec;
}

asio::awaitable<error_code> ClientSession::write_text(std::string_view text) {
  const std::vector<asio::const_buffer> piece{asio::buffer(text)};
  co_return co_await write_piece(piece);
}

asio::awaitable<error_code> ClientSession::write_piece(
    const std::vector<asio::const_buffer>& piece) {
  // A timeout closes the socket; to race the write against the timer could write twice.
  write_timer_.expires_after(write_timeout);
  write_timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled) {
      return;
    }
    self->context_->counters.cut_off(status::CutOff::not_reading);
    spdlog::warn("control client cut off: did not read its answer for {} s", write_timeout.count());
    self->close();
  });
  const auto [ec, bytes] = co_await asio::async_write(socket_, piece, use_tuple);
  write_timer_.cancel();
  if (ec) {
    close();
  }
  co_return ec;
}

}  // namespace meridian::control
