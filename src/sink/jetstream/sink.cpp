#include "sink/jetstream/sink.hpp"

#include "aggregator/epoch.hpp"
#include "runtime/faults.hpp"
#include "runtime/log.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/use_tuple.hpp"
#include "sink/jetstream/type.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <random>
#include <tuple>
#include <utility>
#include <variant>

namespace meridian::sink::jetstream {

namespace log = runtime::log;

namespace {

using runtime::use_tuple;

std::size_t index_of(nats::Refusal refusal) {
  return static_cast<std::size_t>(refusal);
}

}  // namespace

Sink::Sink(asio::io_context& context, const asio::any_io_executor& waiter, Options options,
           AggregatorHandle aggregator, status::SinkRecord& record)
    : context_(context),
      options_(std::move(options)),
      subject_(read_subject(options_.jetstream.subject)),
      aggregator_(std::move(aggregator)),
      record_(record),
      feed_(
          context, options_, [this] { pump(); }, [this] { changed_.cancel(); }),
      stopped_bell_(waiter),
      pauses_(std::random_device{}()),
      again_(context),
      changed_(context) {
  figures_.problem = status::SinkProblem{"unreachable", "no server has been tried yet"};
  show();
}

void Sink::start() {
  asio::co_spawn(
      context_, [](std::shared_ptr<Sink> self) { return self->run(); }(shared_from_this()),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
}

asio::awaitable<void> Sink::run() {
  if (!co_await feed_.open(aggregator_)) {
    co_return;
  }
  connection_.emplace(
      options_.jetstream.connection(options_.name), context_.get_executor(),
      [this](const nats::ConnectionState& state) { guarded([&] { connection_changed(state); }); });
  publisher_.emplace(*connection_, options_, context_.get_executor(),
                     [this](const Outcome& told) { guarded([&] { outcome(told); }); });
  look_ups_.emplace(*connection_, options_, context_.get_executor(),
                    [this](const Found& told) { guarded([&] { found(told); }); });
  asio::co_spawn(
      context_, feed_.acknowledge(),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
  co_await feed_.read();
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
  phase_.found_unfit();
  note_problem(why);
  changed_.cancel();
}

void Sink::look_at_stream() {
  const std::shared_ptr<nats::Session> session = connection_->session();
  if (!session || phase_.is_stopping()) {
    return;  // called again for the next session
  }
  const nats::Result<StreamReport> report = check_stream(*session, options_);
  if (!report) {
    ++refusals_.at(index_of(report.error().refusal));
    phase_.found_unfit();
    note_problem(report.error());
    call_again_at(Clock::now() + pauses_.next());
    return;
  }
  if (report->unsafe != figures_.unsafe) {
    for (const std::string& sentence : report->unsafe) {
      log::limited(spdlog::level::warn, fmt::format("sink {}: unsafe stream", options_.name),
                   {{"sink", options_.name}, {"reason", "unsafe"}}, "sink {}: stream {}: {}",
                   options_.name, options_.jetstream.stream, sentence);
    }
    figures_.unsafe = report->unsafe;
  }
  feed_.outbox().set_max_message_bytes(
      std::max<std::size_t>(1, std::min(options_.batch_max_bytes, report->max_payload_bytes)));
  if (!feed_.outbox().anything_refused()) {
    figures_.problem.reset();
  }
  phase_.found_fit();
  feed_.outbox().retry_now();
  pump();
}

void Sink::stop_publishing() {
  phase_.found_unfit();
  call_again_at(Clock::now() + pauses_.next());  // then it looks at the stream
}

void Sink::pump() {
  while (phase_.may_publish()) {
    const auto next = feed_.outbox().next(Clock::now());
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
  if (const auto retry = feed_.outbox().next_retry(); retry && phase_.may_publish()) {
    call_again_at(*retry);
  }
  show();
}

void Sink::call_again_at(Clock::time_point time) {
  if (phase_.is_stopping()) {
    return;
  }
  again_.expires_at(time);
  again_.async_wait([self = shared_from_this()](const error_code& replaced) {
    if (replaced || self->phase_.is_stopping()) {
      return;
    }
    self->guarded([&self] {
      if (self->phase_.may_publish()) {
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
  if (feed_.is_open()) {
    figures_.in_flight_messages = feed_.outbox().in_flight_messages();
    figures_.in_flight_bytes = feed_.outbox().in_flight_bytes();
  }
  for (const nats::Refusal refusal : nats::all_refusals) {
    figures_.refused[std::string(name_of(refusal))] = refusals_.at(index_of(refusal));
  }
  record_.set(figures_);
}

void Sink::stop() {
  asio::co_spawn(context_, end(), [self = shared_from_this()](const std::exception_ptr& error) {
    if (error) {
      note_fault(self->options_.name, error);
    }
    self->give_up();
    // Last, since destroying these may wait for a server: `wait_stopped` can already return.
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
  phase_.stop();
  again_.cancel();
  feed_.stop_reading();
  const auto deadline = Clock::now() + farewell;
  const auto has_something_to_come = [this] {
    const bool is_answered = phase_.is_answered() && feed_.is_open();
    return (is_answered && feed_.outbox().in_flight_messages() > 0) || feed_.has_unacknowledged();
  };
  while (has_something_to_come() && Clock::now() < deadline) {
    changed_.expires_at(deadline);
    std::ignore = co_await changed_.async_wait(use_tuple);
  }
  co_await feed_.close();
  phase_.stop_waiting();
}

std::shared_ptr<runtime::Part> make_sink(asio::io_context& context,
                                         const asio::any_io_executor& waiter,
                                         const Options& options, const AggregatorHandle& aggregator,
                                         status::SinkRecord& record) {
  return std::make_shared<Sink>(context, waiter, options, aggregator, record);
}

}  // namespace meridian::sink::jetstream
