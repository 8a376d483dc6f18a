#include "sink/sink.hpp"

#include "runtime/log.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/use_tuple.hpp"
#include "sink/make_sink.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

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

std::size_t index_of(Refusal refusal) {
  return static_cast<std::size_t>(refusal);
}

/// Whether no other message will fare better until somebody has put it right.
bool concerns_all(Refusal refusal) {
  switch (refusal) {
    case Refusal::authorization:
    case Refusal::stream_missing:
    case Refusal::subject_not_in_stream:
    case Refusal::not_enabled:
      return true;
    default:
      return false;
  }
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
      arrived_more_(context),
      changed_(context) {
  for (asio::steady_timer* const timer : {&read_more_, &arrived_more_}) {
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
    co_return;  // the daemon stops already
  }
  consumer_.emplace(*std::move(consumer));
  const auto resumed = co_await consumer_->resume();
  if (!resumed || stopping_) {
    co_return;  // what it had attempted stays with the consumer
  }
  outbox_.emplace(options_.name, consumer_->epoch(),
                  Outbox::Limits{.max_in_flight_bytes = options_.max_in_flight_bytes,
                                 .max_message_bytes = options_.batch_max_bytes});
  arrived_ = outbox_->resume(*resumed);
  connection_.emplace(options_, context_.get_executor(),
                      [this](const ConnectionState& state) { connection_changed(state); });
  publisher_.emplace(*connection_, options_, context_.get_executor(),
                     [this](const Outcome& told) { outcome(told); });
  asio::co_spawn(
      context_, acknowledge_arrived(),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
  while (!stopping_) {
    const std::size_t room = outbox_->room();
    if (room == 0) {
      std::ignore = co_await read_more_.async_wait(use_tuple);
      continue;
    }
    const auto read = co_await consumer_->next(room);
    if (!read) {
      break;  // suspended, or the aggregator has ended
    }
    for (const BufferedBatch& batch : *read) {
      outbox_->add(batch);
    }
    pump();
  }
}

asio::awaitable<void> Sink::acknowledge_arrived() {
  while (!ended_) {
    if (arrived_.empty()) {
      std::ignore = co_await arrived_more_.async_wait(use_tuple);
      continue;
    }
    std::vector<PlaceRange> arrived = std::exchange(arrived_, {});
    acknowledging_ = true;
    std::ignore = co_await consumer_->acknowledge(std::move(arrived));
    acknowledging_ = false;
    changed_.cancel();
  }
}

void Sink::connection_changed(const ConnectionState& state) {
  if (const auto* const connected = std::get_if<Connected>(&state)) {
    log::limited(spdlog::level::info, fmt::format("sink {}: connected", options_.name),
                 {{"sink", options_.name}}, "sink {}: connected to {}", options_.name,
                 connected->server);
    figures_.server = connected->server;
    look_at_stream();
    return;
  }
  const auto& why = std::get<Rejection>(state);
  ++refusals_.at(index_of(why.refusal));
  if (std::exchange(figures_.server, std::nullopt)) {
    log::limited(spdlog::level::warn, fmt::format("sink {}: connection lost", options_.name),
                 {{"sink", options_.name}, {"reason", std::string(name_of(why.refusal))}},
                 "sink {}: connection lost: {}", options_.name, why.text);
  }
  may_publish_ = false;
  note_problem(why);
  changed_.cancel();
}

void Sink::look_at_stream() {
  const std::shared_ptr<NatsSession> session = connection_->session();
  if (!session || stopping_) {
    return;  // it will be told when there is another one
  }
  const Result<StreamReport> report = check_stream(*session, options_);
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
  duplicate_window_ = report->settings.duplicate_window;
  figures_.problem.reset();
  may_publish_ = true;
  outbox_->retry_now();
  pump();
}

void Sink::outcome(const Outcome& outcome) {
  if (const auto* const why = std::get_if<Rejection>(&outcome.result)) {
    refused(*why, outcome.ticket);
  } else {
    const auto& taken = std::get<Acknowledged>(outcome.result);
    arrived(outcome.ticket, taken.duplicate);
  }
  changed_.cancel();
  pump();
}

void Sink::arrived(Ticket ticket, bool duplicate) {
  ++figures_.acknowledged_messages;
  figures_.duplicates += duplicate ? 1 : 0;
  const std::vector<PlaceRange> done = outbox_->acknowledged(ticket);
  arrived_.insert(arrived_.end(), done.begin(), done.end());
  if (may_publish_ && !outbox_->anything_refused()) {
    figures_.problem.reset();
  }
  pauses_.reset();
  if (!done.empty()) {
    arrived_more_.cancel();
  }
  read_more_.cancel();
}

void Sink::refused(const Rejection& why, Ticket ticket) {
  ++refusals_.at(index_of(why.refusal));
  const Clock::time_point retry_at = Clock::now() + pauses_.after(outbox_->tries_of(ticket));
  if (why.refusal == Refusal::message_too_large) {
    refused_as_too_large(ticket, retry_at);
  } else {
    outbox_->refused(ticket, retry_at);
  }
  note_problem(why);
  if (concerns_all(why.refusal)) {
    stop_publishing();
  }
}

void Sink::refused_as_too_large(Ticket ticket, Clock::time_point retry_at) {
  if (outbox_->tries_of(ticket) > 1) {
    // The limit was lowered since, or before the restart; an answer may have been lost before that.
    const Result<bool> stored = is_stored(outbox_->message_of(ticket));
    if (!stored) {
      outbox_->refused(ticket, retry_at);
      return;
    }
    if (*stored) {
      arrived(ticket, true);
      return;
    }
  }
  outbox_->refused_as_too_large(ticket, retry_at);
}

void Sink::stop_publishing() {
  may_publish_ = false;
  call_again_at(Clock::now() + pauses_.next());  // looks at the stream
}

void Sink::pump() {
  while (may_publish_ && !stopping_) {
    const auto next = outbox_->next(Clock::now());
    if (!next) {
      break;
    }
    figures_.retried += next->tries > 1 ? 1 : 0;
    if (may_be_forgotten(*next)) {
      look_and_publish(*next);
      // Whoever has something to tell does not wait for all such messages.
      asio::post(context_, [self = shared_from_this()] { self->pump(); });
      break;
    }
    publisher_->publish(*next->message, next->ticket);
  }
  if (const auto retry = outbox_->next_retry(); retry && may_publish_) {
    call_again_at(*retry);
  }
  show();
}

bool Sink::may_be_forgotten(const Outbox::Publication& publication) const {
  return publication.tries > 1 && publication.first_tried < Clock::now() - duplicate_window_ / 2;
}

void Sink::look_and_publish(const Outbox::Publication& publication) {
  const Result<bool> stored = is_stored(*publication.message);
  if (!stored) {
    refused(stored.error(), publication.ticket);
    if (may_publish_) {
      stop_publishing();  // the others would have to wait for the same
    }
  } else if (*stored) {
    arrived(publication.ticket, true);
  } else {
    publisher_->publish(*publication.message, publication.ticket);
  }
}

Result<bool> Sink::is_stored(const Message& message) const {
  // Of each origin one message is on its way, so it is the last one of its subject if it is there.
  if (!subject_.tells_origins_apart()) {
    return false;  // that cannot be told
  }
  const std::shared_ptr<NatsSession> session = connection_->session();
  if (!session) {
    return Rejection{Refusal::unreachable, "the connection was lost"};
  }
  const auto last = last_id(*session, options_, subject_.expand(message.origin));
  if (!last) {
    return last.error();
  }
  return *last == message.id;
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
    if (self->may_publish_) {
      self->pump();
    } else {
      self->look_at_stream();
    }
  });
}

void Sink::note_problem(const Rejection& why) {
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
  for (const Refusal refusal : all_refusals) {
    figures_.refused[std::string(name_of(refusal))] = refusals_.at(index_of(refusal));
  }
  record_.set(figures_);
}

void Sink::stop() {
  asio::co_spawn(context_, end(), [self = shared_from_this()](const std::exception_ptr& error) {
    runtime::rethrow(error);
    self->give_up();
    // These may wait for a server; nobody is to wait for that.
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
    return (may_publish_ && outbox_ && outbox_->in_flight_messages() > 0) || !arrived_.empty() ||
           acknowledging_;
  };
  while (has_something_to_come() && Clock::now() < deadline) {
    changed_.expires_at(deadline);
    std::ignore = co_await changed_.async_wait(use_tuple);
  }
  ended_ = true;
  arrived_more_.cancel();
  if (outbox_) {
    // What came in the last moment is done, and must not be told as unread.
    std::vector<PlaceRange> arrived = std::exchange(arrived_, {});
    std::ignore = co_await consumer_->acknowledge(std::move(arrived));
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
