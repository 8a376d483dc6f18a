#include "sink/sink.hpp"

#include "aggregator/epoch.hpp"
#include "runtime/faults.hpp"
#include "runtime/log.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/use_tuple.hpp"
#include "sink/make_sink.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <random>
#include <tuple>
#include <utility>
#include <variant>

namespace meridian::sink {

namespace log = runtime::log;

namespace {

using runtime::use_tuple;

constexpr std::string_view it_is_not_there = "but it is not there";

std::size_t index_of(nats::Refusal refusal) {
  return static_cast<std::size_t>(refusal);
}

}  // namespace

Sink::Sink(asio::io_context& context, const asio::any_io_executor& waiter, Options options,
           AggregatorHandle aggregator, status::SinkRecord& record)
    : context_(context),
      options_(std::move(options)),
      subject_(read_subject(options_.subject)),
      aggregator_(std::move(aggregator)),
      record_(record),
      stopped_bell_(waiter),
      pauses_(std::random_device{}()),
      again_(context),
      read_more_(context),
      more_to_acknowledge_(context),
      changed_(context) {
  for (asio::steady_timer* const timer : {&read_more_, &more_to_acknowledge_}) {
    timer->expires_at(asio::steady_timer::time_point::max());
  }
  figures_.problem = status::SinkProblem{"unreachable", "no server has been tried yet"};
  show();
}

void Sink::start() {
  asio::co_spawn(
      context_, [](std::shared_ptr<Sink> self) { return self->run(); }(shared_from_this()),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
}

asio::awaitable<void> Sink::run() {
  auto consumer = co_await aggregator_.consume(options_.name);
  if (!consumer) {
    co_return;  // the daemon is stopping already
  }
  consumer_.emplace(*std::move(consumer));
  const auto resumed = co_await consumer_->resume();
  if (!resumed || stopping_) {
    co_return;  // what it had attempted stays with the consumer
  }
  outbox_.emplace(options_.name, consumer_->epoch(),
                  Outbox::Limits{.max_in_flight_bytes = options_.max_in_flight_bytes,
                                 .max_message_bytes = options_.batch_max_bytes});
  to_acknowledge_ = outbox_->resume(*resumed);
  connection_.emplace(
      options_.connection(), context_.get_executor(),
      [this](const nats::ConnectionState& state) { guarded([&] { connection_changed(state); }); });
  publisher_.emplace(*connection_, options_, context_.get_executor(),
                     [this](const Outcome& told) { guarded([&] { outcome(told); }); });
  look_ups_.emplace(*connection_, options_, context_.get_executor(),
                    [this](const Found& told) { guarded([&] { found(told); }); });
  asio::co_spawn(
      context_, acknowledge_to_aggregator(),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
  bool ended = false;
  while (!ended) {
    try {
      co_await read_along();
      ended = true;
    } catch (...) {
      failed(std::current_exception());
    }
  }
}

asio::awaitable<void> Sink::read_along() {
  while (!stopping_) {
    const std::size_t room = outbox_->room();
    if (room == 0) {
      std::ignore = co_await read_more_.async_wait(use_tuple);
      continue;
    }
    auto read = co_await consumer_->next(room);
    if (!read) {
      break;  // suspended, or the aggregator has ended
    }
    co_await add_to_outbox(*std::move(read));
    pump();
  }
}

asio::awaitable<void> Sink::add_to_outbox(std::vector<BufferedBatch> batches) {
  for (std::size_t added = 0; added < batches.size() && !stopping_;) {
    try {
      outbox_->add(batches[added]);
      ++added;
      continue;
    } catch (...) {
      failed(std::current_exception());
    }
    // These batches have been read, so the sink must not lose them.
    asio::steady_timer pause(context_, pauses_.next());
    std::ignore = co_await pause.async_wait(use_tuple);
  }
}

void Sink::failed(const std::exception_ptr& error) noexcept {
  runtime::Faults::of_process().note(runtime::FaultOf::sink, "sink " + options_.name, error);
}

asio::awaitable<void> Sink::acknowledge_to_aggregator() {
  while (!ended_) {
    if (to_acknowledge_.empty()) {
      std::ignore = co_await more_to_acknowledge_.async_wait(use_tuple);
      continue;
    }
    std::vector<PlaceRange> stored = std::exchange(to_acknowledge_, {});
    acknowledging_ = true;
    try {
      std::ignore = co_await consumer_->acknowledge(std::move(stored));
    } catch (...) {
      failed(std::current_exception());
    }
    acknowledging_ = false;
    changed_.cancel();
  }
}

void Sink::connection_changed(const nats::ConnectionState& state) {
  if (const auto* const connected = std::get_if<nats::Connected>(&state)) {
    log::limited(spdlog::level::info, fmt::format("sink {}: connected", options_.name),
                 {{"sink", options_.name}}, "sink {}: connected to {}", options_.name,
                 connected->server);
    figures_.server = connected->server;
    look_at_stream();
    return;
  }
  const auto& why = std::get<nats::Rejection>(state);
  ++refusals_.at(index_of(why.refusal));
  if (std::exchange(figures_.server, std::nullopt)) {
    log::limited(spdlog::level::warn, fmt::format("sink {}: disconnected", options_.name),
                 {{"sink", options_.name}, {"reason", std::string(name_of(why.refusal))}},
                 "sink {}: disconnected: {}", options_.name, why.text);
  }
  may_publish_ = false;
  note_problem(why);
  changed_.cancel();
}

void Sink::look_at_stream() {
  const std::shared_ptr<nats::Session> session = connection_->session();
  if (!session || stopping_) {
    return;  // called again when there is a new session
  }
  const nats::Result<StreamReport> report = check_stream(*session, options_);
  if (!report) {
    ++refusals_.at(index_of(report.error().refusal));
    may_publish_ = false;
    note_problem(report.error());
    call_again_at(Clock::now() + pauses_.next());
    return;
  }
  if (report->unsafe != figures_.unsafe) {
    for (const std::string& sentence : report->unsafe) {
      log::limited(spdlog::level::warn, fmt::format("sink {}: unsafe stream", options_.name),
                   {{"sink", options_.name}, {"reason", "unsafe"}}, "sink {}: stream {}: {}",
                   options_.name, options_.stream, sentence);
    }
    figures_.unsafe = report->unsafe;
  }
  outbox_->set_max_message_bytes(
      std::max<std::size_t>(1, std::min(options_.batch_max_bytes, report->max_payload_bytes)));
  if (!outbox_->anything_refused()) {
    figures_.problem.reset();
  }
  may_publish_ = true;
  outbox_->retry_now();
  pump();
}

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
  const std::vector<PlaceRange> done = outbox_->acknowledged(ticket);
  to_acknowledge_.insert(to_acknowledge_.end(), done.begin(), done.end());
  if (may_publish_ && !outbox_->anything_refused()) {
    figures_.problem.reset();
  }
  pauses_.reset();
  if (!done.empty()) {
    more_to_acknowledge_.cancel();
  }
  read_more_.cancel();
}

void Sink::refused(const nats::Rejection& why, Ticket ticket) {
  ++refusals_.at(index_of(why.refusal));
  const Clock::time_point retry_at = Clock::now() + pauses_.after(outbox_->tries_of(ticket));
  if (why.refusal == nats::Refusal::message_too_large) {
    refused_as_too_large(ticket, retry_at);
  } else {
    outbox_->refused(
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
    // The limit may have been lowered since an earlier try, or before the restart. That try may
    // have been stored and its answer lost.
    look_for(ticket, IfAbsent::make_smaller);
  } else {
    outbox_->refused_as_too_large(ticket, retry_at);
  }
}

void Sink::stop_publishing() {
  may_publish_ = false;
  call_again_at(Clock::now() + pauses_.next());  // which looks at the stream
}

void Sink::pump() {
  while (may_publish_ && !stopping_) {
    const auto next = outbox_->next(Clock::now());
    if (!next) {
      break;
    }
    figures_.retried += next->tries > 1 ? 1 : 0;
    if (next->said_to_be_at) {
      look_for(next->ticket, IfAbsent::rename, *next->said_to_be_at);
    } else if (can_look_for(next->ticket)) {
      look_for(next->ticket, IfAbsent::publish);
    } else {
      publisher_->publish(*next->message, next->ticket);
    }
  }
  if (const auto retry = outbox_->next_retry(); retry && may_publish_) {
    call_again_at(*retry);
  }
  show();
}

bool Sink::can_look_for(Ticket ticket) const {
  return outbox_->may_be_stored(ticket) && subject_.tells_origins_apart();
}

void Sink::look_for(Ticket ticket, IfAbsent then) {
  // Each origin has only one message in flight, so if it is stored, it is the last one of its
  // subject.
  look_for(ticket, then, subject_.expand(outbox_->message_of(ticket).origin));
}

void Sink::look_for(Ticket ticket, IfAbsent then, Where where) {
  looked_for_.insert_or_assign(ticket, LookedFor{.then = then, .where = where});
  look_ups_->ask(ticket, std::move(where));
}

void Sink::found(const Found& found) {
  const LookedFor asked = looked_for_.extract(found.ticket).mapped();
  if (!found.message) {
    could_not_look(found.message.error(), found.ticket);
  } else if (*found.message && is_same(**found.message, outbox_->message_of(found.ticket))) {
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
  if (may_publish_) {
    stop_publishing();  // the others would have to wait for the same thing
  }
}

void Sink::not_there(Ticket ticket, std::uint64_t sequence) {
  const std::shared_ptr<nats::Session> session = connection_->session();
  if (!session || !may_publish_ || stopping_) {
    // Each such message would wait here for a server that does not answer.
    outbox_->refused(ticket, Clock::now(), Outbox::Fate::unknown);  // tried again when it may be
    return;
  }
  const nats::Result<bool> removed = can_have_removed(
      *session, options_, sequence, subject_.expand(outbox_->message_of(ticket).origin));
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
    outbox_->refused_as_too_large(ticket, now + pauses_.after(outbox_->tries_of(ticket)));
  } else if (!may_publish_) {
    outbox_->refused(ticket, now, Outbox::Fate::unknown);  // tried again when it may be
  } else {
    if (then == IfAbsent::rename) {
      outbox_->rename(ticket, aggregator::new_epoch());
    }
    publisher_->publish(outbox_->message_of(ticket), ticket);
  }
}

void Sink::said_to_be_stored(Ticket ticket, std::uint64_t sequence) {
  if (outbox_->may_be_stored(ticket)) {
    look_for(ticket, IfAbsent::refuse, sequence);
  } else {
    refuse_as_false_duplicate(ticket, sequence, "but it had never been published");
  }
}

void Sink::refuse_as_false_duplicate(Ticket ticket, std::uint64_t sequence, std::string_view why) {
  // Only now that the message is known not to be there: a doubt lets the next try use another id,
  // and a message that is stored under this one would then be stored twice.
  outbox_->doubt(ticket, sequence);
  refused({nats::Refusal::false_duplicate,
           fmt::format("publishing to {}: the server says that stream {} already has this message, "
                       "{}; the sink looks once more and then publishes it under a new id",
                       subject_.expand(outbox_->message_of(ticket).origin), options_.stream, why)},
          ticket);
}

void Sink::call_again_at(Clock::time_point time) {
  if (stopping_) {
    return;
  }
  again_.expires_at(time);
  again_.async_wait([self = shared_from_this()](const error_code& replaced) {
    if (replaced || self->stopping_) {
      return;
    }
    self->guarded([&self] {
      if (self->may_publish_) {
        self->pump();
      } else {
        self->look_at_stream();
      }
    });
  });
}

void Sink::note_problem(const nats::Rejection& why) {
  const status::SinkProblem problem{std::string(name_of(why.refusal)), why.text};
  if (figures_.problem != problem) {
    figures_.problem = problem;
    if (const auto held_back = problem_log_.admit(runtime::LogLimit::Clock::now())) {
      log::warn({{"sink", options_.name}, {"reason", problem.reason}},
                "sink {}: {}: {} ({} more since the last message)", options_.name, problem.reason,
                problem.message, *held_back);
    }
  }
  show();
}

void Sink::show() {
  figures_.in_flight_messages = outbox_ ? outbox_->in_flight_messages() : 0;
  figures_.in_flight_bytes = outbox_ ? outbox_->in_flight_bytes() : 0;
  for (const nats::Refusal refusal : nats::all_refusals) {
    figures_.refused[std::string(name_of(refusal))] = refusals_.at(index_of(refusal));
  }
  record_.set(figures_);
}

void Sink::stop() {
  asio::co_spawn(context_, end(), [self = shared_from_this()](const std::exception_ptr& error) {
    if (error) {
      self->failed(error);
    }
    self->give_up();
    // Destroying these may wait for a server, so it comes after `wait_stopped` can return.
    self->look_ups_.reset();
    self->publisher_.reset();
    self->connection_.reset();
  });
}

asio::awaitable<void> Sink::wait_stopped() {
  while (!stopped_) {
    co_await stopped_bell_.wait();
  }
}

void Sink::give_up() {
  stopped_ = true;
  stopped_bell_.ring();
}

asio::awaitable<void> Sink::end() {
  stopping_ = true;
  again_.cancel();
  read_more_.cancel();
  const auto deadline = Clock::now() + farewell;
  const auto has_something_to_come = [this] {
    return (may_publish_ && outbox_ && outbox_->in_flight_messages() > 0) ||
           !to_acknowledge_.empty() || acknowledging_;
  };
  while (has_something_to_come() && Clock::now() < deadline) {
    changed_.expires_at(deadline);
    std::ignore = co_await changed_.async_wait(use_tuple);
  }
  ended_ = true;
  more_to_acknowledge_.cancel();
  if (outbox_) {
    // What was stored in the last moment is delivered, and must not count as unread after
    // `suspend`.
    std::vector<PlaceRange> stored = std::exchange(to_acknowledge_, {});
    std::ignore = co_await consumer_->acknowledge(std::move(stored));
    std::vector<Attempt> attempts = outbox_->attempts();
    std::ignore = co_await consumer_->suspend(std::move(attempts));
  }
  may_publish_ = false;
}

std::shared_ptr<runtime::Part> make_sink(asio::io_context& context,
                                         const asio::any_io_executor& waiter,
                                         const Options& options, const AggregatorHandle& aggregator,
                                         status::SinkRecord& record) {
  return std::make_shared<Sink>(context, waiter, options, aggregator, record);
}

}  // namespace meridian::sink
