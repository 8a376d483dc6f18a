/// What is counted about the clients of the control socket.
#pragma once

#include <meridian/named.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace meridian::status {

/// Why a control client was cut off. Counted per reason.
enum class CutOff : std::uint8_t {
  request_too_long,
  client_limit,
  not_reading,
  idle,
  not_allowed,
};
inline constexpr std::array<Named<CutOff>, 5> cut_offs{{
    {CutOff::request_too_long, "request_too_long",
     "A line was longer than `control.max_request_bytes`."},
    {CutOff::client_limit, "client_limit",
     "`control.max_clients` clients were connected already, or this client may only read and made "
     "room for one that may do everything."},
    {CutOff::not_reading, "not_reading", "The client did not read its answer in time."},
    {CutOff::idle, "idle",
     "The client sent no request for `control.idle_timeout_s`, or for 5 seconds while another "
     "client needed its place."},
    {CutOff::not_allowed, "not_allowed",
     "The user of the client is in neither `control.group` nor `control.read_only_group`."},
}};
inline constexpr auto all_cut_offs = values_of(cut_offs);
[[nodiscard]] constexpr std::string_view name_of(CutOff reason) noexcept {
  return name_in(cut_offs, reason);
}

struct ControlCounts {
  std::uint64_t clients = 0;
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, all_cut_offs.size()> cut_off{};
};

}  // namespace meridian::status
