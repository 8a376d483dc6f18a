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

/// Reads a socket, and hands over the frames of each read as one batch. It never waits for a batch
/// to fill: a lone frame is handed over at once. While the channel is full, the session does not
/// read; or it reads on and drops frames, if its listener is configured to.
///
/// Everything runs on the socket's executor, which must run one handler at a time: a strand, or a
/// context of one thread. Only `stop` and `set_options` may be called from elsewhere. The objects
/// that the session refers to must outlive its `run`.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, std::shared_ptr<const ListenerOptions> options,
          Turns& turns, AggregatorHandle aggregator, status::UplinkTable& table,
          std::shared_ptr<status::UplinkRecord> record);

  /// Runs until the stream ends, or the session is stopped or times out. When it returns, the
  /// session has handed over all whole frames that it has read.
  [[nodiscard]] asio::awaitable<void> run();

  using CloseReason = status::CloseReason;

  /// Stops reading. The session still hands over what it has read.
  void stop(CloseReason reason = CloseReason::stopped);

  /// Ends the session after its `run` has thrown. Frames that it had not handed over are gone.
  void fail(const std::exception_ptr& error) noexcept;

  /// Switches to other options. A new limit on the length of frames applies from the next frame on.
  /// Name, framing and satellite must be the same.
  void set_options(std::shared_ptr<const ListenerOptions> options);

 private:
  /// Reads once, decodes, and hands over the frames. Returns false if the channel refuses them;
  /// `refused_` then has them.
  [[nodiscard]] bool read_and_send();
  [[nodiscard]] std::optional<FrameBatch> read_and_decode();
  void note_read_error(const error_code& ec);

  /// Judges the first packets until it is clear whether they are plausible.
  void look_at_packets(const FrameBatch& batch);
  void note_plausibility(PacketPlausibility::Verdict verdict);

  /// Waits for room for the refused batch, or gives it up, as the listener's policy says.
  [[nodiscard]] asio::awaitable<void> deliver_refused(Turns::Turn turn);

  /// Gives the decoder a changed limit on the payload, if the stream is between two frames.
  void apply_limit(bool between_frames);

  void watch_idle();
  void finish();

  /// Ends the connection with a reset: a peer that has sent everything would take an end of stream
  /// for success.
  void reset() noexcept;

  asio::ip::tcp::socket socket_;
  std::shared_ptr<const ListenerOptions> options_;
  Turns& turns_;
  AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  std::shared_ptr<status::UplinkRecord> record_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<PacketPlausibility> plausibility_;  // for space packets, until there is a verdict

  ReadBuffer buffer_;
  asio::steady_timer idle_timer_;
  std::chrono::steady_clock::time_point last_read_;
  std::uint64_t reads_ = 0;
  std::uint64_t stream_offset_ = 0;  // of the first octet in buffer_
  bool more_expected_ = false;       // the last read filled its room
  bool waits_for_turn_ = false;
  bool limit_changed_ = false;                    // the decoder still has the old one
  std::unique_ptr<Refused<FrameBatch>> refused_;  // set only between two steps of `run`
  std::optional<CloseReason> closing_;
  bool booked_ = false;  // the table has this session as closed
  std::optional<Malformed> malformed_;
  std::string_view advice_;  // on `malformed_`
};

}  // namespace meridian::uplink
