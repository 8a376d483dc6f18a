/// The methods of the control socket: their names, parameters, results and errors.
///
/// The protocol reads and checks requests by this table, and the reference is written from it.
#pragma once

#include "control/request.hpp"

#include <meridian/named.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace meridian::control {

enum class ParameterType : std::uint8_t { integer, text, choice };

struct Parameter {
  std::string_view name;
  ParameterType type = ParameterType::integer;
  std::uint64_t least = 0;  ///< of an integer
  std::uint64_t most = 0;
  std::span<const std::string_view> choices{};
  bool required = false;
  std::string_view default_value{};  ///< as JSON; "" if omitting it has a meaning of its own
  std::string_view sentence{};       ///< with code between backticks, as in all sentences here
  /// Stores a value that was checked.
  void (*store)(Request&, const SentJson&) = nullptr;
};

/// A part of a result.
struct Field {
  std::string_view name;
  std::string_view type;  ///< of JSON; several are separated by "|"
  std::string_view sentence;
};

struct MethodFacts {
  Method method;
  std::string_view name;
  bool changes_something = false;  ///< then clients that may only read are refused
  std::string_view sentence{};
  std::string_view details{};
  std::span<const Parameter> parameters{};
  std::span<const Field> result{};
  std::span<const ErrorCode> errors{};  ///< in addition to those that every request can get
};

/// All methods, in the order of their documentation.
[[nodiscard]] std::span<const MethodFacts> all_methods();

[[nodiscard]] const MethodFacts& facts_of(Method method);

/// Names and meanings of the error codes. The name is for documents: an answer has the number.
inline constexpr std::array<Named<ErrorCode>, 12> error_codes{{
    {ErrorCode::parse_error, "parse_error", "The line is not valid JSON."},
    {ErrorCode::invalid_request, "invalid_request",
     "The line is not a request of JSON-RPC 2.0; or it gives a key twice in one object, is nested "
     "deeper than 32 levels, or has a number beyond 1.8e308."},
    {ErrorCode::method_not_found, "method_not_found",
     "There is no such method. The message lists the methods."},
    {ErrorCode::invalid_params, "invalid_params",
     "A parameter is unknown, missing or out of bounds. The message says what is allowed."},
    {ErrorCode::request_too_long, "request_too_long",
     "The line is longer than `control.max_request_bytes`. The client is cut off."},
    {ErrorCode::too_many_clients, "too_many_clients",
     "There are `control.max_clients` clients already, or a client that may do everything needs "
     "the place of one that may only read. The client is cut off."},
    {ErrorCode::shut_down, "shut_down", "The daemon is stopping."},
    {ErrorCode::reload_refused, "reload_refused",
     "The configuration file was refused. The message says why."},
    {ErrorCode::lease_ended, "lease_ended",
     "The lease has expired or was evicted, or this connection has no such lease."},
    {ErrorCode::too_many_leases, "too_many_leases", "The connection has 1024 leases already."},
    {ErrorCode::idle, "idle",
     "The client asked for nothing for `control.idle_timeout_s`, or for 5 seconds while another "
     "client found no place. The client is cut off."},
    {ErrorCode::not_allowed, "not_allowed",
     "The client's user may only read (`control.read_only_group`), or may not use the socket at "
     "all."},
}};

}  // namespace meridian::control
