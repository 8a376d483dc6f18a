#include "sink/feed.hpp"

#include "runtime/faults.hpp"
#include "runtime/use_tuple.hpp"

#include <random>
#include <tuple>
#include <utility>

namespace meridian::sink {

using runtime::use_tuple;

void note_fault(const std::string& sink, const std::exception_ptr& error) noexcept {
  runtime::Faults::of_process().note(runtime::FaultOf::sink, "sink " + sink, error);
}

Feed::Feed(asio::io_context& context, const Options& options, std::function<void()> on_read,
           std::function<void()> on_acknowledged)
    : context_(context),
      options_(options),
      on_read_(std::move(on_read)),
      on_acknowledged_(std::move(on_acknowledged)),
      pauses_(std::random_device{}()),
      more_room_(context, asio::steady_timer::time_point::max()),
      more_to_acknowledge_(context, asio::steady_timer::time_point::max()) {}

asio::awaitable<bool> Feed::open(AggregatorHandle aggregator) {
  auto consumer = co_await aggregator.consume(options_.name);
  if (!consumer) {
    co_return false;
  }
  consumer_.emplace(*std::move(consumer));
  const auto resumed = co_await consumer_->resume();
  if (!resumed || !reads_) {
    co_return false;
  }
  outbox_.emplace(options_.name, consumer_->epoch(),
                  Outbox::Limits{.max_in_flight_bytes = options_.max_in_flight_bytes,
                                 .max_message_bytes = options_.batch_max_bytes});
  to_acknowledge_ = outbox_->resume(*resumed);
  co_return true;
}

asio::awaitable<void> Feed::read() {
  bool ended = false;
  while (!ended) {
    try {
      co_await read_while_there_is_room();
      ended = true;
    } catch (...) {
      note_fault(options_.name, std::current_exception());
    }
  }
}

asio::awaitable<void> Feed::read_while_there_is_room() {
  while (reads_) {
    const std::size_t room = outbox_->room();
    if (room == 0) {
      std::ignore = co_await more_room_.async_wait(use_tuple);
      continue;
    }
    auto read = co_await consumer_->next(room);
    if (!read) {
      break;  // suspended, or the aggregator has ended
    }
    co_await add(*std::move(read));
    on_read_();
  }
}

asio::awaitable<void> Feed::add(std::vector<BufferedBatch> batches) {
  for (std::size_t added = 0; added < batches.size() && reads_;) {
    try {
      outbox_->add(batches[added]);
      ++added;
      continue;
    } catch (...) {
      note_fault(options_.name, std::current_exception());
    }
    // The consumer has read this batch and would not read it again, so the sink must not lose it.
    asio::steady_timer pause(context_, pauses_.next());
    std::ignore = co_await pause.async_wait(use_tuple);
  }
}

void Feed::stop_reading() {
  reads_ = false;
  more_room_.cancel();
}

void Feed::done(const std::vector<PlaceRange>& batches) {
  pauses_.reset();
  to_acknowledge_.insert(to_acknowledge_.end(), batches.begin(), batches.end());
  if (!batches.empty()) {
    more_to_acknowledge_.cancel();
  }
  more_room_.cancel();
}

asio::awaitable<void> Feed::acknowledge() {
  while (!is_closed_) {
    if (telling_.empty()) {
      telling_ = std::exchange(to_acknowledge_, {});
    }
    if (telling_.empty()) {
      std::ignore = co_await more_to_acknowledge_.async_wait(use_tuple);
      continue;
    }
    bool told = false;
    try {
      std::vector<PlaceRange> stored = telling_;  // told again if it fails
      std::ignore = co_await consumer_->acknowledge(std::move(stored));
      told = true;
    } catch (...) {
      note_fault(options_.name, std::current_exception());
    }
    if (told) {
      telling_.clear();
      on_acknowledged_();
    } else {
      asio::steady_timer pause(context_, pauses_.next());
      std::ignore = co_await pause.async_wait(use_tuple);
    }
  }
}

asio::awaitable<void> Feed::close() {
  is_closed_ = true;
  more_to_acknowledge_.cancel();
  if (!outbox_) {
    co_return;
  }
  // Acknowledges the batches that the stream stored in the last moment: they are delivered, and
  // `suspend` must not make them unread.
  // What is being told, or could not be told, is told once more: the second time it means nothing.
  std::vector<PlaceRange> stored = telling_;
  stored.insert(stored.end(), to_acknowledge_.begin(), to_acknowledge_.end());
  to_acknowledge_.clear();
  std::ignore = co_await consumer_->acknowledge(std::move(stored));
  std::vector<Attempt> attempts = outbox_->attempts();
  std::ignore = co_await consumer_->suspend(std::move(attempts));
}

}  // namespace meridian::sink
