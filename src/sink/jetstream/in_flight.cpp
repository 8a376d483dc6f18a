#include "sink/jetstream/in_flight.hpp"

#include "nats/errors.hpp"
#include "nats/handles.hpp"
#include "sink/jetstream/stream.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace meridian::sink::jetstream {

namespace {

/// Whether the library could not parse an answer. In this case the text is the name of the
/// library's status. An error from a server has a text of its own.
bool is_unreadable(const jsPubAckErr& refused) {
  return (refused.Err == NATS_ERR || refused.Err == NATS_INVALID_ARG) && refused.ErrCode == 0 &&
         refused.ErrText != nullptr &&
         std::string_view(refused.ErrText) == natsStatus_GetText(refused.Err);
}

nats::Rejection bad_answer(const std::string& subject, std::string_view what) {
  return {nats::Refusal::bad_acknowledgement,
          fmt::format("publishing to {}: the answer {}; another client may be answering on this "
                      "subject",
                      subject, what)};
}

}  // namespace

InFlight::InFlight(std::shared_ptr<nats::SessionInbox> inbox,
                   std::shared_ptr<nats::Outlet<Outcome>> outlet, const Options& options)
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
  // The entry goes before the message is destroyed, because another message may get its address.
  const nats::MessageHandle owner(message);
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
  if (acknowledged == nullptr) {
    outlet_->post({entry.ticket, rejection_of(entry, *refused)});
    return;
  }
  const nats::Result<Acknowledged> taken = acknowledgement(entry, *acknowledged);
  if (taken) {
    inbox_->forget_violation_about(entry.subject);
    outlet_->post({entry.ticket, *taken});
  } else {
    outlet_->post({entry.ticket, taken.error()});
  }
}

nats::Result<Acknowledged> InFlight::acknowledgement(const Entry& entry,
                                                     const jsPubAck& told) const {
  if (told.Stream == nullptr || told.Stream != options_.jetstream.stream) {
    return bad_answer(entry.subject,
                      fmt::format("is not from the stream {}", options_.jetstream.stream));
  }
  // The library turns a negative number into a huge one, and a missing one into 0.
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  if (told.Sequence < 1 || told.Sequence > largest) {
    return bad_answer(entry.subject, "has no stream sequence");
  }
  return Acknowledged{.sequence = told.Sequence, .duplicate = told.Duplicate};
}

nats::Rejection InFlight::rejection_of(const Entry& entry, const jsPubAckErr& refused) const {
  const std::string_view text = refused.ErrText != nullptr ? refused.ErrText : "";
  const nats::Refusal refusal = nats::refusal_of(refused.Err, refused.ErrCode, text);
  // A message to a subject that we may not use gets no answer: the server reports the violation
  // separately.
  std::string violation = inbox_->violation_about(entry.subject);
  if (refusal == nats::Refusal::no_acknowledgement && !violation.empty()) {
    return {nats::Refusal::authorization, std::move(violation)};
  }
  if (is_unreadable(refused)) {
    return bad_answer(entry.subject, "is not an acknowledgement");
  }
  return {refusal, fmt::format("publishing to {}: {}", entry.subject, text)};
}

/// Called with the mutex held. Asks once, also for the messages that come until the answer.
void InFlight::find_out_why_nobody_took(Ticket ticket) {
  unclaimed_.push_back(ticket);
  if (unclaimed_.size() > 1) {
    return;
  }
  inbox_->ask([self = shared_from_this()](nats::Session& session) {
    self->refuse_unclaimed(why_nobody_takes(session, self->options_));
  });
}

void InFlight::refuse_unclaimed(const nats::Rejection& why) {
  std::vector<Ticket> tickets;
  {
    const std::lock_guard lock(mutex_);
    tickets = std::exchange(unclaimed_, {});
  }
  for (const Ticket ticket : tickets) {
    outlet_->post({ticket, why});
  }
}

void InFlight::give_up(const nats::Rejection& why) {
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

}  // namespace meridian::sink::jetstream
