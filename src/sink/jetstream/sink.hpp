/// A sink that publishes into a stream of NATS JetStream.
#pragma once

#include "nats/connection.hpp"
#include "runtime/log_limit.hpp"
#include "runtime/part.hpp"
#include "runtime/pauses.hpp"
#include "sink/feed.hpp"
#include "sink/jetstream/look_ups.hpp"
#include "sink/jetstream/publisher.hpp"
#include "sink/jetstream/stream.hpp"
#include "sink/jetstream/subject.hpp"
#include "sink/options.hpp"
#include "sink/outbox.hpp"
#include "sink/phase.hpp"
#include "status/sink_table.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/doorbell.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace meridian::sink::jetstream {

/// Reads the buffer as a consumer, publishes the frames, and acknowledges them once the stream has
/// them. Tries refused messages again for as long as it takes, and gives up none.
///
/// Runs entirely in an execution context of its own. Publishing and asking about the stream may
/// wait for the server, and no other part of the daemon should have to wait with the sink. The
/// library's threads only post into this context.
///
/// Must be held by a shared_ptr. Thread-safety: `start`, `stop` and `give_up` may be called from
/// any thread.
class Sink final : public runtime::Part, public std::enable_shared_from_this<Sink> {
 public:
  /// `context` is the sink's own; the daemon calls `wait_stopped` on `waiter`. `context` and
  /// `record` must outlive the sink.
  Sink(asio::io_context& context, const asio::any_io_executor& waiter, Options options,
       AggregatorHandle aggregator, status::SinkRecord& record);

  void start() override;

  /// Stops reading, and waits for the answers to messages in flight, at most `farewell`. Leaves the
  /// rest to the next start of the daemon.
  void stop() override;

  /// The longest that a stop waits for answers. A request to a server that is in progress when
  /// `stop` is called may take `stream_timeout` or nats::Session::write_deadline in addition.
  static constexpr std::chrono::milliseconds farewell{1000};

  /// Waits until the stop is complete, or until `give_up`.
  [[nodiscard]] asio::awaitable<void> wait_stopped() override;
  void give_up() override;

 private:
  using Clock = Outbox::Clock;

  [[nodiscard]] asio::awaitable<void> run();
  [[nodiscard]] asio::awaitable<void> end();

  /// Calls `function`. Notes what it throws; the sink goes on.
  template <typename Function>
  void guarded(Function&& function) noexcept {
    try {
      function();
    } catch (...) {
      note_fault(options_.name, std::current_exception());
    }
  }

  void connection_changed(const nats::ConnectionState& state);
  void look_at_stream();

  /// Publishes the messages that may go now. Arranges to be called again when more may go.
  void pump();
  void call_again_at(Clock::time_point time);

  /// Stops publishing until the stream has been checked, since every message would be refused.
  void stop_publishing();

  // What becomes of each message. Defined in outcomes.cpp.
  void outcome(const Outcome& outcome);
  void acknowledged(Ticket ticket, bool duplicate);
  void refused(const nats::Rejection& why, Ticket ticket);
  void refused_as_too_large(Ticket ticket, Clock::time_point retry_at);

  /// What to do with a message that the stream does not have.
  enum class IfAbsent : std::uint8_t {
    publish,
    make_smaller,  ///< the message is too large
    refuse,        ///< the server now claims to have it
    rename,        ///< the server claimed to have it, after an earlier try
  };

  /// Whether an earlier try may be stored, and the sink can ask the stream about it.
  [[nodiscard]] bool can_look_for(Ticket ticket) const;
  void look_for(Ticket ticket, IfAbsent then);
  void look_for(Ticket ticket, IfAbsent then, Where where);
  void found(const Found& found);
  void could_not_look(const nats::Rejection& why, Ticket ticket);
  void absent(Ticket ticket, IfAbsent then);

  /// The server takes the message for a repetition of the message at `sequence`. This is no proof:
  /// the answer may come from a server that does not have the message, or another message may be at
  /// that sequence.
  void said_to_be_stored(Ticket ticket, std::uint64_t sequence);
  /// There is no message at `sequence`, but the stream may have removed it since.
  void not_there(Ticket ticket, std::uint64_t sequence);
  void refuse_as_false_duplicate(Ticket ticket, std::uint64_t sequence, std::string_view why);

  void note_problem(const nats::Rejection& why);
  void show();

  asio::io_context& context_;
  const Options options_;
  const SubjectTemplate subject_;
  AggregatorHandle aggregator_;
  status::SinkRecord& record_;

  Feed feed_;
  std::optional<nats::Connection> connection_;
  std::optional<Publisher> publisher_;
  std::optional<LookUps> look_ups_;
  struct LookedFor {
    IfAbsent then = IfAbsent::publish;
    Where where;
  };
  std::unordered_map<Ticket, LookedFor> looked_for_;  // of messages in flight
  Phase phase_;
  std::atomic<bool> stopped_{false};
  Doorbell stopped_bell_;

  runtime::Pauses pauses_;
  asio::steady_timer again_;    // calls `pump` or `look_at_stream`
  asio::steady_timer changed_;  // cancelled when an answer that `end` waits for may have come

  status::SinkFigures figures_;
  std::array<std::uint64_t, nats::all_refusals.size()> refusals_{};
  runtime::LogLimit problem_log_;
};

}  // namespace meridian::sink::jetstream
