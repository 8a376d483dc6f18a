#include "control/client_answers.hpp"

#include "control/write_in_pieces.hpp"
#include "runtime/log_level.hpp"
#include "status/list_encoder.hpp"
#include "status/origin_pages.hpp"
#include "status/version.hpp"

#include <boost/system/result.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace meridian::control {

namespace {

using status::Json;

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

asio::awaitable<error_code> ClientAnswers::answer(Request request) {
  switch (request.method) {
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

asio::awaitable<error_code> ClientAnswers::answer_in_whole(Request request) {
  const std::variant<Json, error_code> result = co_await result_of(request.method);
  if (!request.id) {
    co_return error_code();
  }
  const auto* const json = std::get_if<Json>(&result);
  const std::string text =
      json != nullptr ? encode_result(request, *json)
                      : encode_error(shut_down_error(request, std::get<error_code>(result)));
  co_return co_await writer_.write(text);
}

asio::awaitable<std::variant<Json, error_code>> ClientAnswers::result_of(Method method) {
  const AggregatorHandle& aggregator = services_.sources.aggregator;
  switch (method) {
    case Method::depth: {
      const auto reply = co_await aggregator.depth();
      co_return convert(reply, [](const Amount& depth) { return status::to_json(depth); });
    }
    case Method::flush: {
      const auto reply = co_await aggregator.flush();
      if (reply) {
        log_.did(fmt::format("flush: discarded {} frames", *reply));
      }
      co_return convert(reply, [](std::uint64_t frames) { return Json{{"discarded", frames}}; });
    }
    case Method::stats: {
      const auto reply = co_await services_.sources.stats();
      co_return convert(reply, [](const status::Stats& stats) { return status::to_json(stats); });
    }
    case Method::sinks: {
      const status::SinkTable& sinks = services_.sources.sinks;
      const auto reply = co_await aggregator.stats();
      const auto now =
          std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      co_return convert(reply, [&](const AggregatorStats& stats) {
        return status::sinks_json(sinks, stats.consumers, now);
      });
    }
    case Method::health: {
      const status::Sources& sources = services_.sources;
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

asio::awaitable<error_code> ClientAnswers::answer_reload(Request request) {
  log_.did("reload");
  const ReloadOutcome outcome = co_await services_.reload();
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
  co_return co_await writer_.write(answer);
}

asio::awaitable<error_code> ClientAnswers::answer_forget(Request request) {
  const ForgetParams& params = request.forget;
  const auto forgotten =
      co_await services_.sources.aggregator.forget(params.satellite_id, params.channel_id);
  if (forgotten) {
    const std::string channel =
        params.channel_id ? fmt::format(", channel {}", *params.channel_id) : "";
    log_.did(fmt::format("forget: satellite {}{}: {} channels", params.satellite_id, channel,
                         *forgotten));
  }
  if (!request.id) {
    co_return error_code();
  }
  const std::string answer = forgotten ? encode_result(request, Json{{"forgotten", *forgotten}})
                                       : encode_error(shut_down_error(request, forgotten.error()));
  co_return co_await writer_.write(answer);
}

asio::awaitable<error_code> ClientAnswers::answer_log_level(Request request) {
  const auto level = runtime::log_level_from(request.log_level);
  std::string answer;
  if (level) {
    spdlog::logger& logger = *spdlog::default_logger_raw();
    const auto before = runtime::name_of(logger.level());
    // This is logged whatever the two levels are.
    logger.set_level(spdlog::level::info);
    log_.did(fmt::format("log level {}, was {}", request.log_level, before));
    logger.set_level(*level);
    answer = encode_result(request, Json{{"level", request.log_level}, {"before", before}});
  } else {
    answer = encode_error({ErrorCode::invalid_params,
                           fmt::format("level must be one of {}", runtime::log_level_names),
                           request.id.value_or(RequestId())});
  }
  if (request.id) {
    co_return co_await writer_.write(answer);
  }
  co_return error_code();
}

asio::awaitable<error_code> ClientAnswers::answer_uplinks(Request request) {
  if (!request.id) {
    co_return error_code();
  }
  const Envelope envelope = envelope_for(request);
  const status::UplinkTable::Snapshot uplinks = services_.sources.uplinks.snapshot();
  status::UplinksEncoder encoder(uplinks);
  co_return co_await write_in_pieces(writer_, envelope, encoder);
}

asio::awaitable<error_code> ClientAnswers::answer_satellites(Request request) {
  if (!request.id) {
    co_return error_code();
  }
  status::OriginPages pages(services_.sources.aggregator, status::rows_per_piece);
  status::SatellitesEncoder encoder(services_.sources.silence.silent());
  auto page = co_await pages.next();
  if (!page) {
    const std::string refusal = encode_error(shut_down_error(request, page.error()));
    co_return co_await writer_.write(refusal);
  }
  const Envelope envelope = envelope_for(request);
  std::string piece =
      envelope.before + status::SatellitesEncoder::begin() + encoder.page(page->rows);
  error_code ec = co_await writer_.write(piece);
  while (!ec && !pages.at_end()) {
    page = co_await pages.next();
    if (!page) {
      co_return page.error();  // in the middle of an answer there is no way to say why
    }
    piece = encoder.page(page->rows);
    ec = co_await writer_.write(piece);
  }
  if (!ec) {
    const std::string rest = status::SatellitesEncoder::end() + envelope.after;
    ec = co_await writer_.write(rest);
  }
  co_return ec;
}

}  // namespace meridian::control
