#include "uplink/session.hpp"

#include "runtime/faults.hpp"
#include "runtime/log.hpp"
#include "runtime/use_tuple.hpp"
#include "uplink/clock.hpp"
#include "uplink/malformed_advice.hpp"
#include "uplink/peer_watch.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace meridian::uplink {

namespace log = runtime::log;

namespace {

using runtime::use_tuple;

log::Fields fields_of(const status::UplinkRecord& record, std::string_view reason) {
  return {{"uplink", std::to_string(record.id())},
          {"listener", record.listener()},
          {"peer", record.peer()},
          {"reason", std::string(reason)}};
}

std::string kind_of(const status::UplinkRecord& record, std::string_view what) {
  return fmt::format("uplinks of listener \"{}\": {}", record.listener(), what);
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::shared_ptr<const ListenerOptions> options,
                 Turns& turns, AggregatorHandle aggregator, status::UplinkTable& table,
                 std::shared_ptr<status::UplinkRecord> record)
    : socket_(std::move(socket)),
      options_(std::move(options)),
      turns_(turns),
      aggregator_(std::move(aggregator)),
      table_(table),
      record_(std::move(record)),
      decoder_(make_decoder({.framing = options_->framing,
                             .satellite_id = options_->satellite_id,
                             .max_payload_bytes = options_->max_payload_bytes})),
      idle_timer_(socket_.get_executor()),
      last_read_(std::chrono::steady_clock::now()) {
  if (options_->framing == Framing::ccsds_space_packet) {
    plausibility_ = std::make_unique<PacketPlausibility>();
  }
}

asio::awaitable<void> Session::run() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  watch_peer(socket_, options_->peer_timeout);
  watch_idle();
  // One coroutine waits for everything: a second one would take memory for every idle uplink.
  while (!closing_) {
    if (more_expected_) {
      // The socket has more, so the reactor need not be asked. But other handlers of this thread
      // must get to run.
      co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    } else {
      const auto [ec] = co_await socket_.async_wait(asio::socket_base::wait_read, use_tuple);
      if (ec && !closing_) {
        closing_ = CloseReason::connection_lost;
      }
    }
    if (closing_) {
      break;  // the session reads no more, and waiting for a turn may take long
    }
    std::optional<Turns::Turn> turn = turns_.try_take();
    if (!turn) {
      waits_for_turn_ = true;
      co_await turns_.async_wait(record_, asio::use_awaitable);
      waits_for_turn_ = false;
      turn.emplace(turns_.taken());
    }
    if (!closing_ && !read_and_send()) {
      co_await deliver_refused(*std::move(turn));
    }
  }
  finish();
}

void Session::set_options(std::shared_ptr<const ListenerOptions> options) {
  asio::dispatch(socket_.get_executor(),
                 [self = shared_from_this(), options = std::move(options)]() mutable {
                   self->options_ = std::move(options);
                   // A frame that has begun may still be as long as the old limit allows.
                   self->limit_changed_ = true;
                   self->apply_limit(self->buffer_.unconsumed() == 0);
                   self->watch_idle();
                   watch_peer(self->socket_, self->options_->peer_timeout);
                 });
}

void Session::apply_limit(bool between_frames) {
  if (limit_changed_ && between_frames) {
    decoder_->set_max_payload_bytes(options_->max_payload_bytes);
    limit_changed_ = false;
  }
}

void Session::stop(CloseReason reason) {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this(), reason] {
    if (!self->closing_) {
      self->closing_ = reason;
      error_code ignored;
      self->socket_.cancel(ignored);
    }
  });
}

bool Session::read_and_send() {
  std::optional<FrameBatch> batch = read_and_decode();
  if (!batch) {
    return true;
  }
  std::optional<Refused<FrameBatch>> refused = aggregator_.try_send(*std::move(batch));
  if (!refused) {
    return true;
  }
  refused_ = std::make_unique<Refused<FrameBatch>>(*std::move(refused));
  return false;
}

std::optional<FrameBatch> Session::read_and_decode() {
  error_code ec;
  const std::span<std::byte> room = buffer_.prepare();
  const std::size_t bytes = socket_.read_some(asio::buffer(room.data(), room.size()), ec);
  more_expected_ = bytes == room.size();
  if (ec) {
    note_read_error(ec);
    buffer_.rest();
    return std::nullopt;
  }
  last_read_ = std::chrono::steady_clock::now();
  record_->add_bytes(bytes);
  buffer_.commit(bytes);

  const ReadStamp stamp{.session = record_->id(),
                        .read = ++reads_,
                        .received_at = now(),
                        .width = decoder_->sequence_width()};
  const SlabRange stream = buffer_.contents();
  Decoded decoded = decoder_->decode(stream, stamp);
  if (decoded.batch && plausibility_) {
    look_at_packets(*decoded.batch);
  }
  if (decoded.batch && options_->when_channel_full == WhenChannelFull::drop) {
    // The batch may be given up. Then other batches in the slab must not keep its octets in memory.
    decoded.batch->compact();
  }
  const bool adopted = decoded.batch && decoded.batch->octets().data() == stream.octets.data();
  buffer_.consume(decoded.consumed, decoded.wanted, ReadBuffer::Adopted{adopted});
  stream_offset_ += decoded.consumed;
  apply_limit(decoded.consumed > 0);
  if (decoded.idle_packets > 0) {
    table_.count_idle_packets(decoded.idle_packets);
  }
  if (decoded.malformed) {
    malformed_ = decoded.malformed;
    advice_ = advice_on(*malformed_, stream.octets.subspan(decoded.consumed));
    closing_ = CloseReason::malformed;
  }
  if (decoded.batch) {
    record_->add_frames(decoded.batch->frames(), stamp.received_at);
  }
  return std::move(decoded.batch);
}

void Session::look_at_packets(const FrameBatch& batch) {
  const PacketPlausibility::Verdict verdict = plausibility_->judge(batch);
  if (verdict != PacketPlausibility::Verdict::open) {
    note_plausibility(verdict);
    plausibility_.reset();
  }
}

void Session::note_plausibility(PacketPlausibility::Verdict verdict) {
  // Logged once for each listener, until another listener takes its place. Otherwise peers that are
  // plausible and implausible in turn would repeat the line again and again.
  if (verdict == PacketPlausibility::Verdict::implausible &&
      table_.count_implausible(record_->listener())) {
    log::limited(
        spdlog::level::warn, kind_of(*record_, "implausible"), fields_of(*record_, "implausible"),
        "uplink {} ({}) from {}: this does not look like space packets: of the first {} packets "
        "whose APID had come before, only {} continue the sequence count of that APID; {} (logged "
        "once per listener)",
        record_->id(), record_->listener(), record_->peer(), plausibility_->judged(),
        plausibility_->followed(), advice_on_implausible_packets());
  }
}

void Session::note_read_error(const error_code& ec) {
  if (ec == asio::error::would_block || ec == asio::error::try_again ||
      ec == asio::error::interrupted) {
    return;
  }
  if (ec != asio::error::eof) {
    closing_ = CloseReason::connection_lost;
  } else {
    closing_ = buffer_.unconsumed() > 0 ? CloseReason::truncated : CloseReason::end_of_stream;
  }
}

asio::awaitable<void> Session::deliver_refused(Turns::Turn turn) {
  const std::unique_ptr<Refused<FrameBatch>> refused = std::move(refused_);
  error_code ec = refused->reason;
  if (ec == Errc::channel_full) {
    if (options_->when_channel_full == WhenChannelFull::drop) {
      ec = co_await aggregator_.give_up(std::move(refused->value));
    } else {
      turn.hold();
      record_->set_held(true);
      ec = co_await aggregator_.send(std::move(refused->value));
      record_->set_held(false);
      last_read_ = std::chrono::steady_clock::now();  // nothing could be read meanwhile
    }
  }
  if (ec && !closing_) {
    log::limited(spdlog::level::err, kind_of(*record_, "given up"),
                 fields_of(*record_, ec.message()),
                 "uplink {} ({}) from {}: cannot hand over its frames: {}", record_->id(),
                 options_->name, record_->peer(), ec.message());
    closing_ = CloseReason::stopped;
  }
}

void Session::watch_idle() {
  if (options_->idle_timeout.count() == 0 || closing_) {
    idle_timer_.cancel();
    return;
  }
  idle_timer_.expires_at(last_read_ + options_->idle_timeout);
  idle_timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (ec || self->closing_) {
      return;
    }
    if (self->options_->idle_timeout.count() == 0) {
      return;  // the timeout was removed while this handler was on its way
    }
    const bool held = self->record_->held() || self->waits_for_turn_;
    const auto silent_for = std::chrono::steady_clock::now() - self->last_read_;
    if (!held && silent_for >= self->options_->idle_timeout) {
      self->closing_ = CloseReason::idle_timeout;
      error_code ignored;
      self->socket_.cancel(ignored);
      return;
    }
    if (held) {
      self->last_read_ = std::chrono::steady_clock::now();
    }
    self->watch_idle();
  });
}

void Session::finish() {
  idle_timer_.cancel();
  const std::size_t cut_short = malformed_ ? 0 : buffer_.unconsumed();
  if (malformed_) {
    table_.count_malformed(*malformed_);
    log::limited(spdlog::level::warn, kind_of(*record_, name_of(*malformed_)),
                 fields_of(*record_, name_of(*malformed_)),
                 "uplink {} ({}) from {}: malformed at stream offset {}: {}: {}", record_->id(),
                 record_->listener(), record_->peer(), stream_offset_, name_of(*malformed_),
                 advice_);
  } else if (plausibility_) {
    note_plausibility(plausibility_->at_the_end());
  }
  if (cut_short > 0) {
    table_.count_truncated();
    log::limited(
        spdlog::level::warn, kind_of(*record_, name_of(CloseReason::truncated)),
        fields_of(*record_, name_of(CloseReason::truncated)),
        "uplink {} ({}) from {}: ended in the middle of a frame at stream offset {}: {} bytes "
        "discarded",
        record_->id(), record_->listener(), record_->peer(), stream_offset_, cut_short);
  }
  booked_ = true;
  table_.close(record_, *closing_, now());
  log::limited(
      spdlog::level::info, kind_of(*record_, fmt::format("closed, {}", name_of(*closing_))),
      fields_of(*record_, name_of(*closing_)),
      "uplink {} ({}) from {} closed: {}, {} frames, {} bytes", record_->id(), record_->listener(),
      record_->peer(), name_of(*closing_), record_->frames(), record_->bytes());

  // Last, so that the table has the session as closed before the peer sees its connection end.
  if (closing_ != CloseReason::end_of_stream && closing_ != CloseReason::truncated) {
    reset();
    return;
  }
  error_code ignored;
  socket_.close(ignored);
}

void Session::reset() noexcept {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

void Session::fail(const std::exception_ptr& error) noexcept {
  closing_ = CloseReason::fault;
  try {
    idle_timer_.cancel();  // first: a running timer keeps the daemon from ending
    runtime::Faults::of_process().note(
        runtime::FaultOf::uplink,
        fmt::format("uplink {} ({}) from {}", record_->id(), record_->listener(), record_->peer()),
        error);
    if (!booked_) {
      table_.close(record_, CloseReason::fault, now());
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): the connection ends anyway
  }
  reset();
}

}  // namespace meridian::uplink
