/// The errors that Meridian's library reports, as boost::system error codes.
#pragma once

#include <boost/system/error_code.hpp>

#include <type_traits>

namespace meridian {

using boost::system::error_code;

/// What can go wrong between a sender and a receiver, or a caller and the aggregator.
enum class Errc {
  channel_full = 1,      ///< try_send: no room now
  channel_empty,         ///< try_receive: nothing there now
  channel_ended,         ///< try_receive: all senders are gone and everything was received
  receiver_gone,         ///< send, try_send: nobody will receive this
  reply_dropped,         ///< the replier went away without a reply
  aggregator_shut_down,  ///< the aggregator takes no more frames and requests
  lease_unknown,         ///< commit, release: never given, or ended by one of these
  lease_expired,         ///< commit, release: too late, its frames have come back by themselves
  lease_evicted,         ///< commit, release: its frames were dropped
  consumer_unknown,      ///< consume: no consumer has that name
};

/// "meridian"
[[nodiscard]] const boost::system::error_category& meridian_category() noexcept;

[[nodiscard]] inline error_code make_error_code(Errc error) noexcept {
  return {static_cast<int>(error), meridian_category()};
}

}  // namespace meridian

template <>
struct boost::system::is_error_code_enum<meridian::Errc> : std::true_type {};
