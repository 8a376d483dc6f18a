/// One uplink: from its socket to the aggregator's channel.
#pragma once

#include "status/uplink_table.hpp"
#include "uplink/options.hpp"
#include "uplink/packet_plausibility.hpp"
#include "uplink/read_buffer.hpp"
#include "uplink/turns.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/decoder.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>

namespace meridian::uplink {

namespace asio = boost::asio;

/// Reads a socket, and hands over the frames of each read as one batch. Batching never waits: a
/// lone frame travels at once. While the channel is full the socket is not read (or frames are
/// dropped, if the listener says so).
///
/// Everything runs on the socket's executor, which must run one thing at a time: a strand, or a
/// context of one thread. Only `stop` and `set_options` may be called from elsewhere. The
/// references given must outlive its `run`.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, std::shared_ptr<const ListenerOptions> options,
          Turns& turns, AggregatorHandle aggregator, status::UplinkTable& table,
          std::shared_ptr<status::UplinkRecord> record);

  /// Runs until the stream or the daemon ends. Has handed over all whole frames then.
  [[nodiscard]] asio::awaitable<void> run();

  using CloseReason = status::CloseReason;

  /// Reads no more. What was read is still handed over.
  void stop(CloseReason reason = CloseReason::stopped);

  /// After its `run` has thrown: what it had not handed over is lost.
  void fail(const std::exception_ptr& error) noexcept;

  /// Goes on with other options, at the next frame where it is about its length. Name, framing and
  /// satellite must be the same.
  void set_options(std::shared_ptr<const ListenerOptions> options);

 private:
  /// Reads once, decodes, and hands over what came. False where the channel has no room for it.
  [[nodiscard]] bool read_and_send();
  [[nodiscard]] std::optional<FrameBatch> read_and_decode();
  void note_read_error(const error_code& ec);

  /// Looks at the first packets until it is clear whether they can be packets.
  void look_at_packets(const FrameBatch& batch);
  void note_plausibility(PacketPlausibility::Verdict verdict);

  /// Brings what found the channel full to its end, as the listener's policy says.
  [[nodiscard]] asio::awaitable<void> deliver_refused(Turns::Turn turn);

  /// Of the longest payload, where it has changed.
  void apply_limit(bool between_frames);

  void watch_idle();
  void finish();

  /// A peer that has sent everything would take an end of stream for success.
  void reset() noexcept;

  asio::ip::tcp::socket socket_;
  std::shared_ptr<const ListenerOptions> options_;
  Turns& turns_;
  AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  std::shared_ptr<status::UplinkRecord> record_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<PacketPlausibility> plausibility_;  // of space packets, until there is a verdict

  ReadBuffer buffer_;
  asio::steady_timer idle_timer_;
  std::chrono::steady_clock::time_point last_read_;
  std::uint64_t reads_ = 0;
  std::uint64_t stream_offset_ = 0;  // of the first octet in buffer_
  bool more_expected_ = false;       // the last read filled its room
  bool waits_for_turn_ = false;
  bool limit_changed_ = false;                    // the decoder does not know yet
  std::unique_ptr<Refused<FrameBatch>> refused_;  // there only between two steps of `run`
  std::optional<CloseReason> closing_;
  bool booked_ = false;  // it is closed in the table
  std::optional<Malformed> malformed_;
  std::string_view advice_;  // on that
};

}  // namespace meridian::uplink
