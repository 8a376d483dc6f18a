#include <meridian/errors.hpp>

#include <string>

namespace meridian {

namespace {

// Boost's category has a public destructor that is not virtual, and is never destroyed through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "meridian"; }

  std::string message(int value) const override {
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
        return "there is no such lease: it was committed or released, or never given";
      case Errc::lease_expired:
        return "the lease has expired: its frames are in the buffer again";
      case Errc::lease_evicted:
        return "the lease was evicted: the full buffer has dropped its frames";
      case Errc::consumer_unknown:
        return "the aggregator has no consumer of this name";
    }
    return "unknown error " + std::to_string(value);
  }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& meridian_category() noexcept {
  static const Category category;
  return category;
}

}  // namespace meridian
