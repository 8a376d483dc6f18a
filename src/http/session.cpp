#include "http/session.hpp"

#include "http/host.hpp"
#include "http/metrics.hpp"
#include "runtime/log.hpp"
#include "runtime/lost_peers.hpp"
#include "runtime/use_tuple.hpp"
#include "status/list_encoder.hpp"
#include "status/patience.hpp"
#include "status/process_figures.hpp"
#include "status/version.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::http {

namespace {

using beast::http::field;

using runtime::use_tuple;
constexpr std::size_t max_request_bytes = 8192;

constexpr std::string_view json_type = "application/json";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

template <typename Message>
void set_common(Message& message) {
  message.set(field::server, fmt::format("meridiand/{}", status::version));
  message.set(field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
}

/// For a client in a reserved place, which others may need.
constexpr std::chrono::seconds reserved_place_timeout{2};

bool is_for_operators(std::optional<Resource> resource) {
  return resource == Resource::healthz || resource == Resource::readyz ||
         resource == Resource::metrics;
}

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

// How much, and for how long, a peer may go on sending after the last answer.
constexpr std::size_t most_discarded_bytes = 4 * 1024 * 1024;
constexpr std::chrono::seconds discard_time{1};

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::shared_ptr<const Context> context, Place place)
    : stream_(std::move(socket)),
      context_(std::move(context)),
      place_(place),
      received_(max_request_bytes) {
  error_code gone;
  runtime::notice_lost_peers(stream_.socket(), context_->options.timeout);
  local_ = stream_.socket().local_endpoint(gone).address();
}

asio::awaitable<void> Session::run() {
  for (bool more = true; more;) {
    more = co_await serve_one();
  }
  co_await close();
}

void Session::stop() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->stream_.close(); });
}

void Session::leave_place() {
  has_left_place_ = true;
  stop();
}

asio::awaitable<void> Session::close() {
  error_code ec;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  // Closing with unread octets would send a reset, which can overtake the answer.
  stream_.expires_after(discard_time);
  for (std::size_t discarded = 0; !ec && discarded < most_discarded_bytes;) {
    received_.clear();
    const auto [failed, bytes] =
        co_await stream_.async_read_some(received_.prepare(max_request_bytes), use_tuple);
    ec = failed;
    discarded += bytes;
  }
  stream_.close();
}

asio::awaitable<bool> Session::serve_one() {
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(max_request_bytes);
  parser.body_limit(0);
  stream_.expires_after(place_ == Place::reserved
                            ? std::min(reserved_place_timeout, context_->options.timeout)
                            : context_->options.timeout);
  const auto [read_error, bytes] =
      co_await beast::http::async_read(stream_, received_, parser, use_tuple);
  const auto& message = parser.get();
  Request request{.head = message.method() == beast::http::verb::head,
                  .keep_alive = !read_error && parser.keep_alive() && place_ == Place::ordinary,
                  .version = std::clamp(message.version(), 10U, 11U)};
  const bool is_idle = answered_ && bytes == 0 && received_.size() == 0;
  answered_ = true;
  if (!read_error) {
    has_asked_ = true;
  }
  if (read_error == beast::error::timeout && !is_idle) {
    context_->counters.timed_out();  // unlike a connection kept alive, and idle
  }
  error_code ec = read_error;
  if (auto refused = refusal_of(request, message, read_error)) {
    ec = co_await write(request, *std::move(refused));
  } else if (!read_error) {
    ec = co_await answer_target(request, std::string(message.target()));
  }
  co_return !ec && request.keep_alive;
}

std::optional<Session::Whole> Session::refusal_of(Request& request, const Message& message,
                                                  const error_code& read_error) const {
  using beast::http::error;
  const auto refuse_body = [&request] {
    request.keep_alive = false;  // where the next one would begin is unknown
    return refusal(request, Status::payload_too_large,
                   "this server accepts no request body: send the request without one");
  };
  if (read_error == error::header_limit || read_error == error::buffer_overflow) {
    return refusal(request, Status::request_header_fields_too_large,
                   fmt::format("a request may have at most {} bytes", max_request_bytes));
  }
  if (read_error == error::unexpected_body || read_error == error::body_limit) {
    return refuse_body();
  }
  if (read_error == error::end_of_stream || read_error == error::partial_message) {
    return std::nullopt;  // the client has gone
  }
  if (read_error.category() == make_error_code(error{}).category()) {
    return refusal(request, Status::bad_request, "this is not HTTP: " + read_error.message());
  }
  if (read_error) {
    return std::nullopt;
  }
  if (message.count(field::transfer_encoding) > 0) {
    return refuse_body();
  }
  const std::size_t hosts = message.count(field::host);
  if (hosts > 1 || (hosts == 0 && request.version == 11)) {
    request.keep_alive = false;
    return refusal(request, Status::bad_request, "an HTTP/1.1 request needs exactly one Host");
  }
  if (const HostVerdict host = judge_hosts(message); host != HostVerdict::ours) {
    request.keep_alive = false;
    return host == HostVerdict::malformed
               ? refusal(request, Status::bad_request, "this Host is neither a name nor an address")
               : refusal(request, Status::misdirected_request,
                         "this server does not answer to that Host; if the name is correct, add it "
                         "to http.names");
  }
  if (!request.head && message.method() != beast::http::verb::get) {
    Whole response =
        refusal(request, Status::method_not_allowed, "this server is read-only: use GET or HEAD");
    response.set(field::allow, "GET, HEAD");
    return response;
  }
  return std::nullopt;
}

HostVerdict Session::judge_hosts(const Message& message) const {
  const std::vector<std::string>& names = context_->options.names;
  const auto host = message.find(field::host);
  HostVerdict verdict = HostVerdict::ours;  // HTTP/1.0 may have none; browsers always send one
  if (host != message.end()) {
    verdict = judge_host(view_of(host->value()), local_, names);
  }
  const auto authority = authority_of(view_of(message.target()));
  if (authority && verdict == HostVerdict::ours) {
    verdict = judge_host(*authority, local_, names);
  }
  return verdict;
}

asio::awaitable<error_code> Session::answer_target(Request request, std::string target) {
  const auto resource = resource_at(target);
  if (place_ == Place::reserved && !is_for_operators(resource)) {
    return write(request, no_place(request, fmt::format("there are {} clients already: raise "
                                                        "http.max_clients",
                                                        context_->options.max_clients)));
  }
  if (resource) {
    return answer(request, *resource);
  }
  if (const PageFile* const file = find_page_file(path_of(target))) {
    return write(request, page(request, *file));
  }
  return write(request, refusal(request, Status::not_found,
                                "this path does not exist: use /, /metrics, /healthz, /readyz, "
                                "/api/v1/stats, /api/v1/uplinks, /api/v1/satellites or "
                                "/api/v1/events"));
}

asio::awaitable<error_code> Session::answer(Request request, Resource resource) {
  switch (resource) {
    case Resource::metrics:
      return answer_metrics(request);
    case Resource::healthz:
      return write(request, verdict(request, context_->sources.health()));
    case Resource::readyz:
      return answer_readiness(request);
    case Resource::stats:
      return answer_stats(request);
    case Resource::uplinks:
      return answer_uplinks(request);
    case Resource::satellites:
      return answer_satellites(request);
    case Resource::events:
      break;
  }
  return answer_events(request);
}

asio::awaitable<error_code> Session::answer_metrics(Request request) {
  const status::Sources& sources = context_->sources;
  std::vector<OriginStats> satellites;
  const std::size_t most = context_->options.max_satellites;
  for (std::size_t place = 0; place < most;) {
    const std::size_t count = std::min(most - place, status::rows_per_piece);
    const auto page = co_await ask(sources.aggregator.origin_page(place, count));
    if (!page) {
      co_return co_await refuse_unanswered(request, page.error());
    }
    std::ranges::copy_if(page->rows, std::back_inserter(satellites),
                         [](const OriginStats& origin) { return origin.origin.has_value(); });
    place = page->at_end ? most : page->next;
  }
  const auto others = co_await ask(sources.aggregator.sum_origins(most));
  if (!others) {
    co_return co_await refuse_unanswered(request, others.error());
  }
  const auto stats = co_await ask(sources.stats());
  if (!stats) {
    co_return co_await refuse_unanswered(request, stats.error());
  }
  const auto peaks = co_await ask(context_->live->peaks());
  if (!peaks) {
    co_return co_await refuse_unanswered(request, peaks.error());
  }
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::string text =
      encode_metrics({.stats = *stats,
                      .peaks = *peaks,
                      .max_satellites = most,
                      .satellites = std::move(satellites),
                      .other_satellites = *others,
                      .silent = *sources.silence.silent(),
                      .sinks = sink_samples(sources.sinks),
                      .now = now,
                      .http = context_->counters.counts(),
                      .log = {.left_out = runtime::PeerLines::of_process().left_out(),
                              .lost = runtime::log::lost_lines()},
                      .process = status::process_figures()});
  co_return co_await write(request, whole(request, Status::ok, metrics_type, std::move(text)));
}

asio::awaitable<error_code> Session::answer_stats(Request request) {
  const auto stats = co_await ask(context_->sources.stats());
  if (!stats) {
    co_return co_await refuse_unanswered(request, stats.error());
  }
  co_return co_await write(
      request, whole(request, Status::ok, json_type, status::dump(status::to_json(*stats))));
}

asio::awaitable<error_code> Session::answer_readiness(Request request) {
  const status::Verdict ready = co_await context_->sources.readiness();
  co_return co_await write(request, verdict(request, ready));
}

asio::awaitable<error_code> Session::answer_uplinks(Request request) {
  error_code ec = co_await begin_json(request);
  const status::UplinkTable::Snapshot uplinks = context_->sources.uplinks.snapshot();
  status::UplinksEncoder encoder(uplinks);
  std::string piece;
  while (!ec && !request.head && encoder.next(piece)) {
    ec = co_await write_piece(request, piece);
  }
  if (!ec) {
    ec = co_await end_json(request);
  }
  co_return ec;
}

asio::awaitable<error_code> Session::answer_satellites(Request request) {
  const AggregatorHandle& aggregator = context_->sources.aggregator;
  auto page = co_await ask(aggregator.origin_page(0, status::rows_per_piece));
  if (!page) {
    co_return co_await refuse_unanswered(request, page.error());
  }
  error_code ec = co_await begin_json(request);
  status::SatellitesEncoder encoder(context_->sources.silence.silent());
  std::string piece = status::SatellitesEncoder::begin();
  while (!ec && !request.head) {
    piece += encoder.page(page->rows);
    const bool more = !page->at_end;
    if (!more) {
      piece += status::SatellitesEncoder::end();
    }
    ec = co_await write_piece(request, std::exchange(piece, {}));
    if (ec || !more) {
      break;
    }
    const std::size_t next = page->next;
    page = co_await ask(aggregator.origin_page(next, status::rows_per_piece));
    if (!page) {
      co_return page.error();  // in the middle of an answer there is no way to say why
    }
  }
  if (!ec) {
    ec = co_await end_json(request);
  }
  co_return ec;
}

template <typename T>
asio::awaitable<boost::system::result<T>> Session::ask(
    asio::awaitable<boost::system::result<T>> question) const {
  if (!context_->sources.health().good) {
    co_return error_code(asio::error::timed_out);  // at once, so that the client need not wait
  }
  co_return co_await status::within(context_->options.timeout, std::move(question));
}

asio::awaitable<error_code> Session::refuse_unanswered(Request request, error_code ec) {
  const std::string reason = ec == asio::error::timed_out
                                 ? "the aggregator does not answer: see /healthz"
                                 : ec.message() + ": ask again once the daemon runs";
  return write(request, refusal(request, Status::service_unavailable, reason));
}

Session::Whole Session::no_place(Request request, std::string message) {
  context_->counters.refused();
  request.keep_alive = false;
  Whole response = refusal(request, Status::service_unavailable, std::move(message));
  response.set(field::retry_after, "5");
  return response;
}

asio::awaitable<error_code> Session::answer_events(Request request) {
  const std::size_t most = context_->options.max_event_streams;
  if (!context_->counters.open_events(most)) {
    const std::string why = fmt::format(
        "there are {} streams of events already: close one, or raise http.max_event_streams", most);
    std::ignore = co_await write(request, no_place(request, why));
    co_return error_code(beast::http::error::end_of_stream);
  }
  const std::shared_ptr<ClientCounters> place(&context_->counters,
                                              std::mem_fn(&ClientCounters::close_events));
  co_return co_await write_events(request);
}

asio::awaitable<error_code> Session::write_events(Request request) {
  beast::http::response<beast::http::empty_body> head(Status::ok, request.version);
  set_common(head);
  head.set(field::content_type, "text/event-stream");
  head.set("X-Accel-Buffering", "no");  // a proxy must pass events on at once
  head.keep_alive(false);               // the end of the connection ends the events
  beast::http::response_serializer<beast::http::empty_body> serializer(head);
  stream_.expires_after(context_->options.timeout);
  const auto [failed, bytes] =
      co_await beast::http::async_write_header(stream_, serializer, use_tuple);
  error_code ec = written(failed);
  Live::Text text;
  if (!ec && !request.head) {
    text = co_await context_->live->history();
  }
  const auto end = std::chrono::steady_clock::now() + context_->options.event_stream;
  while (!ec && text && std::chrono::steady_clock::now() < end) {
    ec = co_await write_text(text);
    stream_.expires_never();
    text = co_await context_->live->next_snapshot();
  }
  co_return ec ? ec : error_code(beast::http::error::end_of_stream);
}

asio::awaitable<error_code> Session::write_text(Live::Text text) {
  stream_.expires_after(context_->options.timeout);
  const auto [ec, bytes] = co_await asio::async_write(stream_, asio::buffer(*text), use_tuple);
  co_return written(ec);
}

error_code Session::written(error_code ec) const {
  if (ec == beast::error::timeout) {
    context_->counters.timed_out();
  }
  return ec;
}

Session::Whole Session::page(const Request& request, const PageFile& file) {
  Whole response = whole(request, Status::ok, file.type, std::string(file.text));
  response.set("Content-Security-Policy",
               "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set("Referrer-Policy", "no-referrer");
  return response;
}

Session::Whole Session::whole(const Request& request, Status status, std::string_view type,
                              std::string text) {
  Whole response(status, request.version, std::move(text));
  set_common(response);
  response.set(field::content_type, beast::string_view(type.data(), type.size()));
  response.keep_alive(request.keep_alive);
  response.prepare_payload();
  return response;
}

Session::Whole Session::refusal(const Request& request, Status status, std::string message) {
  return whole(request, status, text_type, std::move(message) + "\n");
}

Session::Whole Session::verdict(const Request& request, const status::Verdict& verdict) {
  return whole(request, verdict.good ? Status::ok : Status::service_unavailable, json_type,
               status::dump(verdict.reason) + "\n");
}

asio::awaitable<error_code> Session::write(Request request, Whole response) {
  stream_.expires_after(context_->options.timeout);
  beast::http::response_serializer<beast::http::string_body> serializer(response);
  error_code ec;
  if (request.head) {
    const auto [failed, bytes] =
        co_await beast::http::async_write_header(stream_, serializer, use_tuple);
    ec = failed;
  } else {
    const auto [failed, bytes] = co_await beast::http::async_write(stream_, serializer, use_tuple);
    ec = failed;
  }
  co_return written(ec);
}

asio::awaitable<error_code> Session::begin_json(Request request) {
  beast::http::response<beast::http::empty_body> head(Status::ok, request.version);
  set_common(head);
  head.set(field::content_type, beast::string_view(json_type.data(), json_type.size()));
  head.keep_alive(request.keep_alive && request.version == 11);
  head.chunked(request.version == 11);
  beast::http::response_serializer<beast::http::empty_body> serializer(head);
  stream_.expires_after(context_->options.timeout);
  const auto [ec, bytes] = co_await beast::http::async_write_header(stream_, serializer, use_tuple);
  co_return written(ec);
}

asio::awaitable<error_code> Session::write_piece(Request request, std::string piece) {
  stream_.expires_after(context_->options.timeout);
  error_code ec;
  if (request.version == 11) {
    const auto chunk = beast::http::make_chunk(asio::buffer(piece));
    const auto [failed, bytes] = co_await asio::async_write(stream_, chunk, use_tuple);
    ec = failed;
  } else {
    const auto [failed, bytes] =
        co_await asio::async_write(stream_, asio::buffer(piece), use_tuple);
    ec = failed;
  }
  co_return written(ec);
}

asio::awaitable<error_code> Session::end_json(Request request) {
  if (request.version == 10) {
    co_return error_code(
        beast::http::error::end_of_stream);  // the end of the connection ends the answer
  }
  if (request.head) {
    co_return error_code{};
  }
  stream_.expires_after(context_->options.timeout);
  const auto last = beast::http::make_chunk_last();
  const auto [ec, bytes] = co_await asio::async_write(stream_, last, use_tuple);
  co_return written(ec);
}

}  // namespace meridian::http
