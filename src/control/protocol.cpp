#include "control/protocol.hpp"

#include "runtime/json_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace meridian::control {

namespace {

struct NamedMethod {
  std::string_view name;
  Method method;
};
constexpr std::array methods{
    NamedMethod{"depth", Method::depth},         NamedMethod{"drain", Method::drain},
    NamedMethod{"commit", Method::commit},       NamedMethod{"release", Method::release},
    NamedMethod{"flush", Method::flush},         NamedMethod{"stats", Method::stats},
    NamedMethod{"uplinks", Method::uplinks},     NamedMethod{"satellites", Method::satellites},
    NamedMethod{"sinks", Method::sinks},         NamedMethod{"tail", Method::tail},
    NamedMethod{"health", Method::health},       NamedMethod{"reload", Method::reload},
    NamedMethod{"log_level", Method::log_level}, NamedMethod{"version", Method::version},
    NamedMethod{"forget", Method::forget},
};

/// Thrown and caught in this file only: reading a request can fail in many ways, which one place
/// reports.
struct Refusal {
  ErrorCode code;
  std::string message;
};

std::string_view trim(std::string_view line) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

constexpr std::uint64_t most_lease_s = 86'400;

constexpr std::uint64_t most_frames = std::numeric_limits<std::int64_t>::max();

/// Text from a client, shortened and made printable, to be quoted in an error.
std::string quote(std::string_view text) {
  constexpr std::size_t longest = 40;
  const SentJson json(std::string(text.substr(0, longest)));
  return json.dump(-1, ' ', true, SentJson::error_handler_t::replace) +
         (text.size() > longest ? "…" : "");
}

std::string method_names() {
  std::string names;
  for (const NamedMethod& method : methods) {
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  }
  return names;
}

Method find_method(std::string_view name) {
  const auto* const found = std::ranges::find(methods, name, &NamedMethod::name);
  if (found == methods.end()) {
    throw Refusal{ErrorCode::method_not_found,
                  fmt::format("there is no method {}: use one of {}", quote(name), method_names())};
  }
  return found->method;
}

/// An integer from `least` to `most`.
std::uint64_t read_integer(const SentJson& value, std::string_view name, std::uint64_t least,
                           std::uint64_t most) {
  const bool in_range = value.is_number_unsigned() && value.get<std::uint64_t>() >= least &&
                        value.get<std::uint64_t>() <= most;
  if (!in_range) {
    throw Refusal{ErrorCode::invalid_params,
                  fmt::format("{} must be an integer from {} to {}", name, least, most)};
  }
  return value.get<std::uint64_t>();
}

FrameFormat read_format(const SentJson& value) {
  if (value == "json") {
    return FrameFormat::json;
  }
  if (value == "binary") {
    return FrameFormat::binary;
  }
  throw Refusal{ErrorCode::invalid_params, "format must be \"json\" or \"binary\""};
}

SatelliteId read_satellite_id(const SentJson& value, std::string_view name) {
  return static_cast<SatelliteId>(
      read_integer(value, name, 0, std::numeric_limits<SatelliteId>::max()));
}

ChannelId read_channel_id(const SentJson& value, std::string_view name) {
  return static_cast<ChannelId>(
      read_integer(value, name, 0, std::numeric_limits<ChannelId>::max()));
}

[[noreturn]] void refuse_parameter(std::string_view method, const std::string& key,
                                   std::string_view known) {
  throw Refusal{ErrorCode::invalid_params,
                fmt::format("{} has no parameter {}: use {}", method, quote(key), known)};
}

DrainParams read_drain_params(const SentJson& params) {
  DrainParams drain;
  for (const auto& [key, value] : params.items()) {
    if (key == "max_frames") {
      drain.max_frames = read_integer(value, key, 1, most_frames);
    } else if (key == "satellite_id") {
      drain.satellite_id = read_satellite_id(value, key);
    } else if (key == "format") {
      drain.format = read_format(value);
    } else if (key == "lease_s") {
      drain.lease = std::chrono::seconds(read_integer(value, key, 1, most_lease_s));
    } else {
      refuse_parameter("drain", key, "max_frames, satellite_id, format, lease_s");
    }
  }
  return drain;
}

TailParams read_tail_params(const SentJson& params) {
  TailParams tail;
  for (const auto& [key, value] : params.items()) {
    if (key == "satellite_id") {
      tail.satellite_id = read_satellite_id(value, key);
    } else if (key == "channel_id") {
      tail.channel_id = read_channel_id(value, key);
    } else if (key == "limit") {
      tail.limit = read_integer(value, key, 1, most_frames);
    } else if (key == "format") {
      tail.format = read_format(value);
    } else {
      refuse_parameter("tail", key, "satellite_id, channel_id, limit, format");
    }
  }
  return tail;
}

ForgetParams read_forget_params(const SentJson& params) {
  ForgetParams forget;
  if (!params.contains("satellite_id")) {
    throw Refusal{ErrorCode::invalid_params,
                  "forget needs the parameter satellite_id; with channel_id only that channel is "
                  "forgotten"};
  }
  for (const auto& [key, value] : params.items()) {
    if (key == "satellite_id") {
      forget.satellite_id = read_satellite_id(value, key);
    } else if (key == "channel_id") {
      forget.channel_id = read_channel_id(value, key);
    } else {
      refuse_parameter("forget", key, "satellite_id, channel_id");
    }
  }
  return forget;
}

LeaseId read_lease_params(const SentJson& params, std::string_view method) {
  const auto lease = params.find("lease");
  if (lease == params.end() || params.size() != 1) {
    throw Refusal{
        ErrorCode::invalid_params,
        fmt::format("{} has the one parameter lease, the id that a drain gave, and needs it",
                    method)};
  }
  return read_integer(*lease, "lease", 1, std::numeric_limits<LeaseId>::max());
}

std::string read_log_level_params(const SentJson& params) {
  const auto level = params.find("level");
  if (level == params.end() || !level->is_string() || params.size() != 1) {
    throw Refusal{ErrorCode::invalid_params,
                  "log_level has the one parameter level, a string, and needs it"};
  }
  return level->get<std::string>();
}

void read_params(Request& request, const SentJson& json) {
  static const SentJson none = SentJson::object();
  const auto sent = json.find("params");
  const bool has_none = sent == json.end() || (sent->is_array() && sent->empty());
  const SentJson& params = has_none ? none : *sent;
  if (!params.is_object()) {
    throw Refusal{ErrorCode::invalid_params, "params must be an object with named parameters"};
  }
  if (request.method == Method::drain) {
    request.drain = read_drain_params(params);
  } else if (request.method == Method::commit) {
    request.lease = read_lease_params(params, "commit");
  } else if (request.method == Method::release) {
    request.lease = read_lease_params(params, "release");
  } else if (request.method == Method::tail) {
    request.tail = read_tail_params(params);
  } else if (request.method == Method::forget) {
    request.forget = read_forget_params(params);
  } else if (request.method == Method::log_level) {
    request.log_level = read_log_level_params(params);
  } else if (!params.empty()) {
    throw Refusal{ErrorCode::invalid_params, "this method takes no parameters: leave params away"};
  }
}

/// `id` is the id of the request; nothing if there is none, or no valid one.
Request read_request(const SentJson& json, const std::optional<RequestId>& id) {
  Request request;
  if (json.contains("id") && !id) {
    throw Refusal{ErrorCode::invalid_request, "id must be a string, a number or null"};
  }
  request.id = id;
  if (const auto version = json.find("jsonrpc"); version == json.end() || *version != "2.0") {
    throw Refusal{ErrorCode::invalid_request, "a request must have \"jsonrpc\": \"2.0\""};
  }
  const auto method = json.find("method");
  if (method == json.end() || !method->is_string()) {
    throw Refusal{ErrorCode::invalid_request, "a request must have a \"method\", a string"};
  }
  request.method = find_method(method->get_ref<const std::string&>());
  read_params(request, json);
  return request;
}

/// The answer to a text that is rejected before it is read as a request.
Error refuse(const runtime::JsonFault& fault, const RequestId& id) {
  using Kind = runtime::JsonFault::Kind;
  switch (fault.kind) {
    case Kind::doubled_key:
      return {ErrorCode::invalid_request,
              fmt::format("{} is given twice in one object: send it once", fault.path), id};
    case Kind::nested_too_deeply:
      return {ErrorCode::invalid_request,
              fmt::format("the request is nested deeper than {} levels: send it flatter",
                          deepest_request),
              id};
    case Kind::number_too_large:
      return {ErrorCode::invalid_request,
              fmt::format("{}: the number is too large: send a smaller one", fault.path), id};
    case Kind::not_json:
      break;
  }
  return {ErrorCode::parse_error,
          "this line is not valid JSON: send one JSON-RPC 2.0 object per line"};
}

std::variant<Request, Error> parse_json(std::string_view line) {
  runtime::JsonScan scan = runtime::scan_json(line, {.deepest = deepest_request});
  std::optional<RequestId> id;
  if (scan.id) {
    id = RequestId::from_text(*std::move(scan.id));
  }
  if (scan.fault) {
    return refuse(*scan.fault, id.value_or(RequestId()));
  }
  const SentJson json = SentJson::parse(line);
  try {
    return read_request(json, id);
  } catch (Refusal& refusal) {
    // Only if the request is otherwise valid is it known to be a notification.
    const bool is_notification = !json.contains("id") && refusal.code != ErrorCode::invalid_request;
    return Error{refusal.code, std::move(refusal.message), id.value_or(RequestId()),
                 is_notification};
  }
}

std::variant<Request, Error> parse_word(std::string_view word) {
  if (word.empty()) {
    return Error{ErrorCode::invalid_request,
                 "this line is empty: send a JSON-RPC 2.0 object or one of " + method_names()};
  }
  if (word.front() == '[') {
    return Error{ErrorCode::invalid_request,
                 "batches are not supported: send one JSON-RPC 2.0 object per line"};
  }
  try {
    Request request{.method = find_method(word), .plain = true, .id = RequestId()};
    read_params(request, SentJson::object());  // some methods need parameters
    return request;
  } catch (Refusal& refusal) {
    return Error{refusal.code, std::move(refusal.message)};
  }
}

}  // namespace

Error shut_down_error(const Request& request, const error_code& ec) {
  return {ErrorCode::shut_down, ec.message() + ": ask again once the daemon runs",
          request.id.value_or(RequestId())};
}

std::variant<Request, Error> parse_request(std::string_view line) {
  const std::string_view text = trim(line);
  return text.starts_with('{') ? parse_json(text) : parse_word(text);
}

Envelope envelope_for(const Request& request) {
  if (request.plain) {
    return {.before = "", .after = "\n"};
  }
  return {.before = fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":)",
                                request.id.value_or(RequestId()).text()),
          .after = "}\n"};
}

std::string encode_result(const Request& request, const status::Json& result) {
  const Envelope envelope = envelope_for(request);
  return envelope.before + status::dump(result) + envelope.after;
}

std::string encode_error(const Error& error) {
  const status::Json json = {{"code", static_cast<int>(error.code)}, {"message", error.message}};
  return fmt::format("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{}}}\n", error.id.text(),
                     status::dump(json));
}

}  // namespace meridian::control
