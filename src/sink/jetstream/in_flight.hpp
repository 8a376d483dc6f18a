/// The messages of a session that have no outcome yet.
#pragma once

#include "nats/outlet.hpp"
#include "nats/session_inbox.hpp"
#include "sink/jetstream/outcome.hpp"
#include "sink/options.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nats/nats.h>

namespace meridian::sink::jetstream {

/// Each ticket has exactly one outcome, which is reported by the function that takes the ticket out
/// of here. That is `answer`, `give_up`, or `Publisher::publish` if the library did not take the
/// message. `give_up` is needed because the library reports nothing about messages whose connection
/// has ended, not even a timeout.
///
/// Thread-safe. Must be held by a shared_ptr.
class InFlight : public std::enable_shared_from_this<InFlight> {
 public:
  InFlight(std::shared_ptr<nats::SessionInbox> inbox, std::shared_ptr<nats::Outlet<Outcome>> outlet,
           const Options& options);

  /// Adds a message. False after `give_up`: then the caller must not publish the message.
  [[nodiscard]] bool add(const natsMsg* message, Ticket ticket, std::string subject);

  /// Takes out a message that the library did not take. No value if the message already has its
  /// outcome.
  [[nodiscard]] std::optional<Ticket> take(const natsMsg* message);

  /// Handles the library's answer to a message: either `acknowledged` or `refused` is not nullptr.
  /// Takes ownership of the message. Called on a thread of the library.
  void answer(natsMsg* message, const jsPubAck* acknowledged, const jsPubAckErr* refused);

  /// Refuses all messages, since no more answers come.
  void give_up(const nats::Rejection& why);

 private:
  struct Entry {
    Ticket ticket = 0;
    std::string subject;
  };

  /// What the stream has answered, or an error if another client has. Any client that may subscribe
  /// to our subjects learns the subject for the answer.
  [[nodiscard]] nats::Result<Acknowledged> acknowledgement(const Entry& entry,
                                                           const jsPubAck& told) const;
  [[nodiscard]] nats::Rejection rejection_of(const Entry& entry, const jsPubAckErr& refused) const;
  void find_out_why_nobody_took(Ticket ticket);
  void refuse_unclaimed(const nats::Rejection& why);

  const std::shared_ptr<nats::SessionInbox> inbox_;
  const std::shared_ptr<nats::Outlet<Outcome>> outlet_;
  const Options options_;

  std::mutex mutex_;
  // Protected by mutex_.
  std::unordered_map<const natsMsg*, Entry> entries_;
  std::vector<Ticket> unclaimed_;  // of messages without a receiver; the reason is being asked for
  bool given_up_ = false;
};

}  // namespace meridian::sink::jetstream
