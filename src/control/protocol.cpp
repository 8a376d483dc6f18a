#include "control/protocol.hpp"

#include "control/methods.hpp"
#include "runtime/json_scan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <utility>

namespace meridian::control {

namespace {

/// Thrown and caught in this file only: reading a request can fail in many ways, and one place
/// reports them all.
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

/// Text from a client, shortened and made printable, to be quoted in an error.
std::string quote(std::string_view text) {
  constexpr std::size_t longest = 40;
  const SentJson json(std::string(text.substr(0, longest)));
  return json.dump(-1, ' ', true, SentJson::error_handler_t::replace) +
         (text.size() > longest ? "…" : "");
}

/// The names of a range of facts, separated by commas.
template <typename Facts>
std::string names_of(std::span<const Facts> range) {
  std::string names;
  for (const Facts& each : range) {
    names += (names.empty() ? "" : ", ") + std::string(each.name);
  }
  return names;
}

const MethodFacts& find_method(std::string_view name) {
  const auto found = std::ranges::find(all_methods(), name, &MethodFacts::name);
  if (found == all_methods().end()) {
    throw Refusal{ErrorCode::method_not_found, fmt::format("unknown method {}: use one of {}",
                                                           quote(name), names_of(all_methods()))};
  }
  return *found;
}

/// What a parameter must be. Nothing if `value` is valid.
std::optional<std::string> fault_in(const SentJson& value, const Parameter& parameter) {
  switch (parameter.type) {
    case ParameterType::integer:
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() < parameter.least ||
          value.get<std::uint64_t>() > parameter.most) {
        return fmt::format("an integer from {} to {}", parameter.least, parameter.most);
      }
      break;
    case ParameterType::text:
      if (!value.is_string()) {
        return "a string";
      }
      break;
    case ParameterType::choice:
      if (std::ranges::none_of(parameter.choices,
                               [&](std::string_view choice) { return value == choice; })) {
        return fmt::format("\"{}\"", fmt::join(parameter.choices, "\" or \""));
      }
      break;
  }
  return std::nullopt;
}

void read_params(Request& request, const MethodFacts& method, const SentJson& params) {
  for (const auto& [key, value] : params.items()) {
    const auto parameter = std::ranges::find(method.parameters, key, &Parameter::name);
    if (parameter == method.parameters.end()) {
      throw Refusal{ErrorCode::invalid_params,
                    method.parameters.empty()
                        ? fmt::format("{} takes no parameters: leave out params", method.name)
                        : fmt::format("{} has no parameter {}: use {}", method.name, quote(key),
                                      names_of(method.parameters))};
    }
    if (const auto fault = fault_in(value, *parameter)) {
      throw Refusal{ErrorCode::invalid_params,
                    fmt::format("{} must be {}", parameter->name, *fault)};
    }
    parameter->store(request, value);
  }
  for (const Parameter& parameter : method.parameters) {
    if (parameter.required && !params.contains(parameter.name)) {
      throw Refusal{ErrorCode::invalid_params,
                    fmt::format("{} needs the parameter {}: send a request with params",
                                method.name, parameter.name)};
    }
  }
}

/// Reads the parameters in a request.
void read_sent_params(Request& request, const MethodFacts& method, const SentJson& json) {
  static const SentJson none = SentJson::object();
  const auto sent = json.find("params");
  const bool has_none = sent == json.end() || (sent->is_array() && sent->empty());
  const SentJson& params = has_none ? none : *sent;
  if (!params.is_object()) {
    throw Refusal{ErrorCode::invalid_params, "params must be an object with named parameters"};
  }
  read_params(request, method, params);
}

/// `id` is the id of the request. Nothing if it has none, or an invalid one.
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
  const MethodFacts& facts = find_method(method->get_ref<const std::string&>());
  request.method = facts.method;
  read_sent_params(request, facts, json);
  return request;
}

/// The answer to a line that is refused before it is read as a request.
Error refuse(const runtime::JsonFault& fault, const RequestId& id) {
  using Kind = runtime::JsonFault::Kind;
  switch (fault.kind) {
    case Kind::doubled_key:
      return {ErrorCode::invalid_request,
              fmt::format("{} is given twice in one object: send it once", fault.path), id};
    case Kind::nested_too_deeply:
      return {ErrorCode::invalid_request,
              fmt::format("the request is nested deeper than {} levels: send one with fewer levels",
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
    // Without an id, only a valid request is known to be a notification.
    const bool is_notification = !json.contains("id") && refusal.code != ErrorCode::invalid_request;
    return Error{refusal.code, std::move(refusal.message), id.value_or(RequestId()),
                 is_notification};
  }
}

std::variant<Request, Error> parse_word(std::string_view word) {
  if (word.empty()) {
    return Error{
        ErrorCode::invalid_request,
        "this line is empty: send a JSON-RPC 2.0 object or one of " + names_of(all_methods())};
  }
  if (word.front() == '[') {
    return Error{ErrorCode::invalid_request,
                 "batches are not supported: send one JSON-RPC 2.0 object per line"};
  }
  try {
    const MethodFacts& facts = find_method(word);
    Request request{.method = facts.method, .plain = true, .id = RequestId()};
    read_params(request, facts, SentJson::object());  // some methods need parameters
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
