#include "http/answers.hpp"

#include "http/metrics.hpp"
#include "http/page.hpp"
#include "http/response.hpp"
#include "runtime/log.hpp"
#include "runtime/peer_lines.hpp"
#include "status/list_encoder.hpp"
#include "status/origin_pages.hpp"
#include "status/patience.hpp"
#include "status/process_figures.hpp"

#include <boost/asio/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::http {

namespace {

bool is_for_operators(std::optional<Resource> resource) {
  return resource == Resource::healthz || resource == Resource::readyz ||
         resource == Resource::metrics;
}

}  // namespace

template <typename T>
asio::awaitable<boost::system::result<T>> Answers::ask(
    asio::awaitable<boost::system::result<T>> question) const {
  if (!context_.sources.health().good) {
    co_return error_code(asio::error::timed_out);  // at once: it would not help to wait
  }
  co_return co_await status::within(context_.options.timeout, std::move(question));
}

asio::awaitable<error_code> Answers::answer(Request request, std::string target) {
  const auto resource = resource_at(target);
  if (place_ == Place::reserved && !is_for_operators(resource)) {
    return refuse_for_place(request, fmt::format("there are {} clients already: raise "
                                                 "http.max_clients",
                                                 context_.options.max_clients));
  }
  if (resource) {
    return answer_resource(request, *resource);
  }
  if (const PageFile* const file = find_page_file(path_of(target))) {
    return writer_.write(request, page_response(*file));
  }
  return writer_.write(
      request, refusal(Status::not_found,
                       "this path does not exist: use /, /metrics, /healthz, /readyz, "
                       "/api/v1/stats, /api/v1/uplinks, /api/v1/satellites or /api/v1/events"));
}

asio::awaitable<error_code> Answers::answer_resource(Request request, Resource resource) {
  switch (resource) {
    case Resource::metrics:
      return answer_metrics(request);
    case Resource::healthz:
      return writer_.write(request, verdict_response(context_.sources.health()));
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

asio::awaitable<error_code> Answers::answer_metrics(Request request) {
  const status::Sources& sources = context_.sources;
  std::vector<OriginStats> satellites;
  const std::size_t most = context_.options.max_satellites;
  status::OriginPages pages(sources.aggregator, status::rows_per_piece, most);
  while (!pages.at_end()) {
    const auto page = co_await ask(pages.next());
    if (!page) {
      co_return co_await refuse_unanswered(request, page.error());
    }
    std::ranges::copy_if(page->rows, std::back_inserter(satellites),
                         [](const OriginStats& origin) { return origin.origin.has_value(); });
  }
  const auto others = co_await ask(sources.aggregator.sum_origins(most));
  if (!others) {
    co_return co_await refuse_unanswered(request, others.error());
  }
  const auto stats = co_await ask(sources.stats());
  if (!stats) {
    co_return co_await refuse_unanswered(request, stats.error());
  }
  const auto peaks = co_await ask(context_.live->peaks());
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
                      .http = context_.counters.counts(),
                      .log = {.left_out = runtime::PeerLines::of_process().left_out(),
                              .lost = runtime::log::lost_lines()},
                      .process = status::process_figures()});
  co_return co_await writer_.write(request, metrics_response(std::move(text)));
}

asio::awaitable<error_code> Answers::answer_stats(Request request) {
  const auto stats = co_await ask(context_.sources.stats());
  if (!stats) {
    co_return co_await refuse_unanswered(request, stats.error());
  }
  co_return co_await writer_.write(request, json_response(status::dump(status::to_json(*stats))));
}

asio::awaitable<error_code> Answers::answer_readiness(Request request) {
  const status::Verdict ready = co_await context_.sources.readiness();
  co_return co_await writer_.write(request, verdict_response(ready));
}

asio::awaitable<error_code> Answers::answer_uplinks(Request request) {
  error_code ec = co_await writer_.begin_json(request);
  const status::UplinkTable::Snapshot uplinks = context_.sources.uplinks.snapshot();
  status::UplinksEncoder encoder(uplinks);
  std::string piece;
  while (!ec && !request.head && encoder.next(piece)) {
    ec = co_await writer_.write_piece(request, piece);
  }
  if (!ec) {
    ec = co_await writer_.end_json(request);
  }
  co_return ec;
}

asio::awaitable<error_code> Answers::answer_satellites(Request request) {
  status::OriginPages pages(context_.sources.aggregator, status::rows_per_piece);
  auto page = co_await ask(pages.next());
  if (!page) {
    co_return co_await refuse_unanswered(request, page.error());
  }
  error_code ec = co_await writer_.begin_json(request);
  status::SatellitesEncoder encoder(context_.sources.silence.silent());
  std::string piece = status::SatellitesEncoder::begin();
  while (!ec && !request.head) {
    piece += encoder.page(page->rows);
    const bool more = !pages.at_end();
    if (!more) {
      piece += status::SatellitesEncoder::end();
    }
    ec = co_await writer_.write_piece(request, std::exchange(piece, std::string()));
    if (ec || !more) {
      break;
    }
    page = co_await ask(pages.next());
    if (!page) {
      co_return page.error();  // in the middle of an answer there is no way to say why
    }
  }
  if (!ec) {
    ec = co_await writer_.end_json(request);
  }
  co_return ec;
}

asio::awaitable<error_code> Answers::answer_events(Request request) {
  const std::size_t most = context_.options.max_event_streams;
  if (!context_.counters.open_events(most)) {
    const std::string why = fmt::format(
        "there are {} streams of events already: close one, or raise http.max_event_streams", most);
    std::ignore = co_await refuse_for_place(request, why);
    co_return ResponseWriter::end_of_connection();
  }
  const std::shared_ptr<ClientCounters> place(&context_.counters,
                                              std::mem_fn(&ClientCounters::close_events));
  co_return co_await write_events(request);
}

asio::awaitable<error_code> Answers::write_events(Request request) {
  error_code ec = co_await writer_.begin_events(request);
  Live::Text text;
  if (!ec && !request.head) {
    text = co_await context_.live->history();
  }
  const auto end = std::chrono::steady_clock::now() + context_.options.event_stream;
  while (!ec && text && std::chrono::steady_clock::now() < end) {
    ec = co_await writer_.write_event(text);
    text = co_await context_.live->next_snapshot();
  }
  co_return ec ? ec : ResponseWriter::end_of_connection();
}

asio::awaitable<error_code> Answers::refuse_for_place(Request request, std::string message) {
  context_.counters.refused();
  request.keep_alive = false;
  Response response = refusal(Status::service_unavailable, std::move(message));
  response.fields.push_back({"Retry-After", "5"});
  return writer_.write(request, std::move(response));
}

asio::awaitable<error_code> Answers::refuse_unanswered(Request request, error_code ec) {
  std::string reason = ec == asio::error::timed_out
                           ? "the aggregator does not answer: see /healthz"
                           : ec.message() + ": ask again once the daemon runs";
  return writer_.write(request, refusal(Status::service_unavailable, std::move(reason)));
}

}  // namespace meridian::http
