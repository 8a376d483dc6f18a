/// What every sink does, whatever it publishes into: it reads frames into an outbox, and tells the
/// aggregator which have arrived.
#pragma once

#include "nats/pauses.hpp"
#include "sink/options.hpp"
#include "sink/outbox.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/consumer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace meridian::sink {

/// Counts and logs an exception in the sink of that name, which goes on.
void note_fault(const std::string& sink, const std::exception_ptr& error) noexcept;

/// A consumer of the buffer, and the outbox that it reads into. Every batch that it reads gets into
/// the outbox, and every batch that is done is acknowledged to the aggregator, whatever fails on
/// the way.
///
/// Confined to the sink's context. The sink keeps it until its coroutines have ended: `read` and
/// `acknowledge` after `stop_reading` and `close`.
class Feed {
 public:
  using Clock = Outbox::Clock;

  /// `on_read` is called whenever there is more in the outbox, and what it throws is noted.
  /// `on_acknowledged` is called when `unacknowledged` may have changed.
  Feed(asio::io_context& context, const Options& options, std::function<void()> on_read,
       std::function<void()> on_acknowledged);

  /// Claims the consumer, and takes up what was attempted before the restart. False if the daemon
  /// stops meanwhile: then what had been attempted stays with the consumer.
  [[nodiscard]] asio::awaitable<bool> open(AggregatorHandle aggregator);

  /// Whether `open` has come to its end. Before that there is no outbox.
  [[nodiscard]] bool is_open() const noexcept { return outbox_.has_value(); }
  [[nodiscard]] Outbox& outbox() { return *outbox_; }
  [[nodiscard]] const Outbox& outbox() const { return *outbox_; }

  /// Reads as long as there is room in the outbox, until `stop_reading`.
  [[nodiscard]] asio::awaitable<void> read();
  void stop_reading();

  /// The outbox has let go of these batches, and has more room.
  void done(const std::vector<PlaceRange>& batches);

  /// Passes on to the aggregator what is done, until `close`.
  [[nodiscard]] asio::awaitable<void> acknowledge();
  [[nodiscard]] bool has_unacknowledged() const noexcept {
    return acknowledging_ || !to_acknowledge_.empty();
  }

  /// Acknowledges the rest and leaves to the next start what was attempted.
  [[nodiscard]] asio::awaitable<void> close();

 private:
  [[nodiscard]] asio::awaitable<void> read_while_there_is_room();
  [[nodiscard]] asio::awaitable<void> add(std::vector<BufferedBatch> batches);

  asio::io_context& context_;
  const Options options_;
  std::function<void()> on_read_;
  std::function<void()> on_acknowledged_;
  nats::Pauses pauses_;

  std::optional<Consumer> consumer_;
  std::optional<Outbox> outbox_;
  bool reads_ = true;
  bool is_closed_ = false;
  bool acknowledging_ = false;  // the aggregator has been told, and has not answered
  std::vector<PlaceRange> to_acknowledge_;
  asio::steady_timer more_room_;            // cancelled when there is some
  asio::steady_timer more_to_acknowledge_;  // cancelled when there is some
};

}  // namespace meridian::sink
