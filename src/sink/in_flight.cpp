#include "sink/in_flight.hpp"

#include "sink/nats_errors.hpp"
#include "sink/nats_handles.hpp"
#include "sink/stream.hpp"

#include <fmt/format.h>

#include <utility>

namespace meridian::sink {

InFlight::InFlight(std::shared_ptr<SessionInbox> inbox, std::shared_ptr<Outlet<Outcome>> outlet,
                   const Options& options)
    : inbox_(std::move(inbox)), outlet_(std::move(outlet)), options_(options) {}

bool InFlight::add(const natsMsg* message, Ticket ticket, std::string subject) {
  const std::lock_guard lock(mutex_);
  if (!given_up_) {
    entries_.insert_or_assign(message, Entry{ticket, std::move(subject)});
  }
  return !given_up_;
}

std::optional<Ticket> InFlight::take(const natsMsg* message) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.extract(message);
  return entry ? std::optional(entry.mapped().ticket) : std::nullopt;
}

void InFlight::answer(natsMsg* message, const jsPubAck* acknowledged, const jsPubAckErr* refused) {
  // Before the message goes, and another may get its address.
  const MessageHandle owner(message);
  std::unique_lock lock(mutex_);
  const auto node = entries_.extract(message);
  if (!node) {
    return;
  }
  const Entry& entry = node.mapped();
  if (acknowledged == nullptr && refused->Err == NATS_NO_RESPONDERS) {
    find_out_why_nobody_took(entry.ticket);
    return;
  }
  lock.unlock();
  if (acknowledged != nullptr) {
    outlet_->post({entry.ticket, Acknowledged{.duplicate = acknowledged->Duplicate}});
  } else {
    outlet_->post({entry.ticket, rejection_of(entry, *refused)});
  }
}

Rejection InFlight::rejection_of(const Entry& entry, const jsPubAckErr& refused) const {
  const std::string_view text = refused.ErrText != nullptr ? refused.ErrText : "";
  const Refusal refusal = refusal_of(refused.Err, refused.ErrCode, text);
  // A subject that we may not publish to is not answered for: the server tells of it by itself.
  std::string violation = inbox_->violation_about(entry.subject);
  if (refusal == Refusal::no_acknowledgement && !violation.empty()) {
    return {Refusal::authorization, std::move(violation)};
  }
  return {refusal, fmt::format("publishing to {}: {}", entry.subject, text)};
}

/// With the mutex held. The question is put once for all that come meanwhile.
void InFlight::find_out_why_nobody_took(Ticket ticket) {
  unclaimed_.push_back(ticket);
  if (unclaimed_.size() > 1) {
    return;
  }
  inbox_->ask([self = shared_from_this()](NatsSession& session) {
    self->refuse_unclaimed(why_nobody_takes(session, self->options_));
  });
}

void InFlight::refuse_unclaimed(const Rejection& why) {
  std::vector<Ticket> tickets;
  {
    const std::lock_guard lock(mutex_);
    tickets = std::exchange(unclaimed_, {});
  }
  for (const Ticket ticket : tickets) {
    outlet_->post({ticket, why});
  }
}

void InFlight::give_up(const Rejection& why) {
  std::unordered_map<const natsMsg*, Entry> entries;
  {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    entries = std::exchange(entries_, {});
  }
  for (const auto& [message, entry] : entries) {
    outlet_->post({entry.ticket, why});
  }
  refuse_unclaimed(why);
}

}  // namespace meridian::sink
