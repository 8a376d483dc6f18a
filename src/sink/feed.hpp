/// What sinks of every type do: read frames into an outbox, and tell the aggregator which frames
/// have arrived.
#pragma once

#include "runtime/pauses.hpp"
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

/// Counts and logs an exception in the sink with the name `sink`. The sink goes on.
void note_fault(const std::string& sink, const std::exception_ptr& error) noexcept;

/// A consumer of the buffer, and the outbox that it reads into. An exception ends neither `read`
/// nor `acknowledge`: it is noted, and they go on. Until `stop_reading`, every batch that was read
/// gets into the outbox.
///
/// Confined to the sink's context. The sink keeps the feed until its coroutines have ended: `read`
/// ends after `stop_reading`, and `acknowledge` after `close`.
class Feed {
 public:
  using Clock = Outbox::Clock;

  /// `options` must outlive it. `on_read` is called whenever there is more in the outbox. What it
  /// throws is noted. `on_acknowledged` is called when `has_unacknowledged` may have changed.
  Feed(asio::io_context& context, const Options& options, std::function<void()> on_read,
       std::function<void()> on_acknowledged);

  /// Claims the consumer, and puts the attempts from before the restart into the outbox. False if
  /// the daemon stops meanwhile: then the attempts stay with the consumer.
  [[nodiscard]] asio::awaitable<bool> open(AggregatorHandle aggregator);

  /// Whether `open` has succeeded. Before that there is no outbox.
  [[nodiscard]] bool is_open() const noexcept { return outbox_.has_value(); }
  [[nodiscard]] Outbox& outbox() { return *outbox_; }
  [[nodiscard]] const Outbox& outbox() const { return *outbox_; }

  /// Reads as long as there is room in the outbox, until `stop_reading`.
  [[nodiscard]] asio::awaitable<void> read();
  void stop_reading();

  /// The outbox has let go of these batches, and has more room.
  void done(const std::vector<PlaceRange>& batches);

  /// Acknowledges to the aggregator the batches that are done, until `close`.
  [[nodiscard]] asio::awaitable<void> acknowledge();
  [[nodiscard]] bool has_unacknowledged() const noexcept {
    return !telling_.empty() || !to_acknowledge_.empty();
  }

  /// Acknowledges the rest, and leaves the messages in flight to the next start, as attempts.
  [[nodiscard]] asio::awaitable<void> close();

 private:
  [[nodiscard]] asio::awaitable<void> read_while_there_is_room();
  [[nodiscard]] asio::awaitable<void> add(std::vector<BufferedBatch> batches);

  asio::io_context& context_;
  const Options& options_;
  std::function<void()> on_read_;
  std::function<void()> on_acknowledged_;
  runtime::Pauses pauses_;

  std::optional<Consumer> consumer_;
  std::optional<Outbox> outbox_;
  bool reads_ = true;
  bool is_closed_ = false;
  std::vector<PlaceRange> to_acknowledge_;
  std::vector<PlaceRange> telling_;         // the aggregator has not answered for these yet
  asio::steady_timer more_room_;            // cancelled when there may be more room in the outbox
  asio::steady_timer more_to_acknowledge_;  // cancelled when to_acknowledge_ has something
};

}  // namespace meridian::sink
