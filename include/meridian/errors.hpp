/// The errors that Meridian's library reports, as boost::system error codes.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

#include <string>
#include <type_traits>

namespace meridian::inline v2 {

using boost::system::error_code;

/// What can go wrong between a sender and a receiver, or a caller and the aggregator.
enum class Errc {
  channel_full = 1,      ///< try_send: the channel has no room now
  channel_empty,         ///< try_receive: the channel is empty now
  channel_ended,         ///< try_receive: all senders are gone and everything was received
  receiver_gone,         ///< send, try_send: the receiver refuses messages, or is gone
  reply_dropped,         ///< the replier went away without a reply
  aggregator_shut_down,  ///< the aggregator takes no more frames or requests
  lease_unknown,         ///< commit, release: was committed or released before, or never existed
  lease_expired,         ///< commit, release: too late; its frames have gone back
  lease_evicted,         ///< commit, release: its frames were dropped
  consumer_unknown,      ///< consume: no consumer has that name
  consumer_claimed,      ///< consume: that consumer is in use already
};

namespace detail {

// The base class has a public destructor that is not virtual. Nothing destroys a category through
// it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
/// The id makes the categories of several shared libraries compare equal.
class Category final : public boost::system::error_category {
 public:
  Category() noexcept : error_category(0x6d65'7269'6469'616eULL) {}

  [[nodiscard]] const char* name() const noexcept override { return "meridian"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::channel_full:
        return "the channel is full";
      case Errc::channel_empty:
        return "the channel is empty";
      case Errc::channel_ended:
        return "all senders are gone";
      case Errc::receiver_gone:
        return "the receiver is gone";
      case Errc::reply_dropped:
        return "the aggregator dropped the reply";
      case Errc::aggregator_shut_down:
        return "the aggregator has shut down";
      case Errc::lease_unknown:
        return "unknown lease: it was committed or released before, or never existed";
      case Errc::lease_expired:
        return "the lease has expired: its frames are in the buffer again";
      case Errc::lease_evicted:
        return "the lease was evicted: the full buffer has dropped its frames";
      case Errc::consumer_unknown:
        return "the aggregator has no consumer of this name";
      case Errc::consumer_claimed:
        return "another Consumer already has this name, and two would share its frames";
    }
    return "unknown error " + std::to_string(value);
  }
};
#pragma GCC diagnostic pop

}  // namespace detail

/// The category of `Errc`. Its name is "meridian".
[[nodiscard]] inline const boost::system::error_category& meridian_category() noexcept {
  static const detail::Category category;
  return category;
}

[[nodiscard]] inline error_code make_error_code(Errc error) noexcept {
  return {static_cast<int>(error), meridian_category()};
}

}  // namespace meridian::inline v2

template <>
struct boost::system::is_error_code_enum<meridian::Errc> : std::true_type {};
