// What becomes of each message of a sink: it has arrived, or the sink tries it again, or the sink
// asks the stream whether it has the message.
#include "aggregator/epoch.hpp"
#include "sink/jetstream/sink.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace meridian::sink::jetstream {

namespace {

constexpr std::string_view it_is_not_there = "but it is not there";

}  // namespace

void Sink::outcome(const Outcome& outcome) {
  if (const auto* const why = std::get_if<nats::Rejection>(&outcome.result)) {
    refused(*why, outcome.ticket);
  } else {
    const auto& taken = std::get<Acknowledged>(outcome.result);
    if (taken.duplicate) {
      said_to_be_stored(outcome.ticket, taken.sequence);
    } else {
      constexpr bool had_been_stored = false;
      acknowledged(outcome.ticket, had_been_stored);
    }
  }
  changed_.cancel();
  pump();
}

void Sink::acknowledged(Ticket ticket, bool duplicate) {
  ++figures_.acknowledged_messages;
  figures_.duplicates += duplicate ? 1 : 0;
  const std::vector<PlaceRange> done = feed_.outbox().acknowledged(ticket);
  if (phase_.is_answered() && !feed_.outbox().anything_refused()) {
    figures_.problem.reset();
  }
  pauses_.reset();
  feed_.done(done);
}

void Sink::refused(const nats::Rejection& why, Ticket ticket) {
  ++refusals_.at(static_cast<std::size_t>(why.refusal));
  const Clock::time_point retry_at = Clock::now() + pauses_.after(feed_.outbox().tries_of(ticket));
  if (why.refusal == nats::Refusal::message_too_large) {
    refused_as_too_large(ticket, retry_at);
  } else {
    feed_.outbox().refused(
        ticket, retry_at,
        nats::leaves_open(why.refusal) ? Outbox::Fate::unknown : Outbox::Fate::not_stored);
  }
  note_problem(why);
  if (nats::concerns_all(why.refusal)) {
    stop_publishing();
  }
}

void Sink::refused_as_too_large(Ticket ticket, Clock::time_point retry_at) {
  if (can_look_for(ticket)) {
    // The limit may have been lowered since an earlier try, perhaps one before the restart. The
    // server may have stored that try, and its answer was lost.
    look_for(ticket, IfAbsent::make_smaller);
  } else {
    feed_.outbox().refused_as_too_large(ticket, retry_at);
  }
}

bool Sink::can_look_for(Ticket ticket) const {
  return feed_.outbox().may_be_stored(ticket) && subject_.tells_origins_apart();
}

void Sink::look_for(Ticket ticket, IfAbsent then) {
  // Each origin has only one message in flight. So if this message is stored, it is the last one of
  // its subject.
  look_for(ticket, then, subject_.expand(feed_.outbox().message_of(ticket).origin));
}

void Sink::look_for(Ticket ticket, IfAbsent then, Where where) {
  looked_for_.insert_or_assign(ticket, LookedFor{.then = then, .where = where});
  look_ups_->ask(ticket, std::move(where));
}

void Sink::found(const Found& found) {
  const LookedFor asked = looked_for_.extract(found.ticket).mapped();
  if (!found.message) {
    could_not_look(found.message.error(), found.ticket);
  } else if (*found.message && is_same(**found.message, feed_.outbox().message_of(found.ticket))) {
    constexpr bool had_been_stored = true;
    acknowledged(found.ticket, had_been_stored);
  } else if (asked.then == IfAbsent::refuse) {
    const std::uint64_t sequence = std::get<std::uint64_t>(asked.where);
    if (*found.message) {
      refuse_as_false_duplicate(found.ticket, sequence, it_is_not_there);
    } else {
      not_there(found.ticket, sequence);
    }
  } else {
    absent(found.ticket, asked.then);
  }
  changed_.cancel();
  pump();
}

void Sink::could_not_look(const nats::Rejection& why, Ticket ticket) {
  refused(why, ticket);
  if (phase_.is_answered()) {
    stop_publishing();  // the other messages would wait for the same answer
  }
}

void Sink::not_there(Ticket ticket, std::uint64_t sequence) {
  const std::shared_ptr<nats::Session> session = connection_->session();
  if (!session || !phase_.may_publish()) {
    // Otherwise each such message would wait here for a server that does not answer. The sink tries
    // the message again once it may publish.
    feed_.outbox().refused(ticket, Clock::now(), Outbox::Fate::unknown);
    return;
  }
  const nats::Result<bool> removed = can_have_removed(
      *session, options_, sequence, subject_.expand(feed_.outbox().message_of(ticket).origin));
  if (!removed) {
    could_not_look(removed.error(), ticket);
  } else if (*removed) {
    constexpr bool had_been_stored = true;
    acknowledged(ticket, had_been_stored);
  } else {
    refuse_as_false_duplicate(ticket, sequence, it_is_not_there);
  }
}

void Sink::absent(Ticket ticket, IfAbsent then) {
  const auto now = Clock::now();
  if (then == IfAbsent::make_smaller) {
    feed_.outbox().refused_as_too_large(ticket,
                                        now + pauses_.after(feed_.outbox().tries_of(ticket)));
  } else if (!phase_.is_answered()) {
    // The sink tries the message again once it may publish.
    feed_.outbox().refused(ticket, now, Outbox::Fate::unknown);
  } else {
    if (then == IfAbsent::rename) {
      feed_.outbox().rename(ticket, aggregator::new_epoch());
    }
    publisher_->publish(feed_.outbox().message_of(ticket), ticket);
  }
}

void Sink::said_to_be_stored(Ticket ticket, std::uint64_t sequence) {
  if (feed_.outbox().may_be_stored(ticket)) {
    look_for(ticket, IfAbsent::refuse, sequence);
  } else {
    refuse_as_false_duplicate(ticket, sequence, "but it had never been published");
  }
}

void Sink::refuse_as_false_duplicate(Ticket ticket, std::uint64_t sequence, std::string_view why) {
  // Doubts the claim only now that the message is known not to be there. A doubt lets the next try
  // use another id. A message that is stored under its present id would then be stored twice.
  feed_.outbox().doubt(ticket, sequence);
  refused({nats::Refusal::false_duplicate,
           fmt::format("publishing to {}: the server says that stream {} already has this message, "
                       "{}; the sink looks once more and then publishes it under a new id",
                       subject_.expand(feed_.outbox().message_of(ticket).origin),
                       options_.jetstream.stream, why)},
          ticket);
}

}  // namespace meridian::sink::jetstream
