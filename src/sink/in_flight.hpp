/// What a session has published and not heard about.
#pragma once

#include "sink/nats_publisher.hpp"
#include "sink/options.hpp"
#include "sink/outlet.hpp"
#include "sink/session_inbox.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nats/nats.h>

namespace meridian::sink {

/// Whoever takes a ticket out of here gives its outcome, so there is one for each: the library's
/// answer, `publish` where the library did not take the message, or `give_up`. The last is needed
/// since the library says nothing of messages whose connection has ended, timeout or not.
///
/// Thread-safe. Must be held by a shared_ptr.
class InFlight : public std::enable_shared_from_this<InFlight> {
 public:
  InFlight(std::shared_ptr<SessionInbox> inbox, std::shared_ptr<Outlet<Outcome>> outlet,
           const Options& options);

  /// False if it has been given up: then the message must not be published.
  [[nodiscard]] bool add(const natsMsg* message, Ticket ticket, std::string subject);

  /// Takes out what the library did not take. Nothing if it has its outcome already.
  [[nodiscard]] std::optional<Ticket> take(const natsMsg* message);

  /// What the library says about a message; one of both is not nullptr. Takes ownership of the
  /// message. Called on a thread of the library.
  void answer(natsMsg* message, const jsPubAck* acknowledged, const jsPubAckErr* refused);

  /// No answer comes any more.
  void give_up(const Rejection& why);

 private:
  struct Entry {
    Ticket ticket = 0;
    std::string subject;
  };

  /// What the stream has said; an error where it was somebody else. Any client that may subscribe
  /// to our subjects learns where the answer is to go.
  [[nodiscard]] Result<Acknowledged> acknowledgement(const Entry& entry,
                                                     const jsPubAck& told) const;
  [[nodiscard]] Rejection rejection_of(const Entry& entry, const jsPubAckErr& refused) const;
  void find_out_why_nobody_took(Ticket ticket);
  void refuse_unclaimed(const Rejection& why);

  const std::shared_ptr<SessionInbox> inbox_;
  const std::shared_ptr<Outlet<Outcome>> outlet_;
  const Options options_;

  std::mutex mutex_;
  // Protected by mutex_.
  std::unordered_map<const natsMsg*, Entry> entries_;
  std::vector<Ticket> unclaimed_;  // nobody was there to take them; it is being asked why
  bool given_up_ = false;
};

}  // namespace meridian::sink
