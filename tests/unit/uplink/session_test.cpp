#include "uplink/session.hpp"

#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"
#include "unit/uplink/session_fixture.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace meridian::test {

using namespace uplink;

namespace {

using status::CloseReason;
using testing::HasSubstr;

/// A listener with this limit.
ListenerOptions at_most(std::uint32_t max_payload_bytes) {
  ListenerOptions options;
  options.max_payload_bytes = max_payload_bytes;
  return options;
}

/// Frames of satellite 1, numbered from `first`.
Octets frames_from(std::uint64_t first, std::uint64_t count, std::size_t payload_bytes = 50) {
  Octets stream;
  for (std::uint64_t i = first; i < first + count; ++i) {
    append(stream, native_frame(header(1, 0, i), sample_payload(payload_bytes, i)));
  }
  return stream;
}

TEST_F(SessionTest, HandsOverEveryFrameUntilEndOfStream) {
  const auto before = std::chrono::system_clock::now();
  start({});
  const Octets stream = frames_from(0, 2'000);
  send(stream);
  half_close();
  expect_end(CloseReason::end_of_stream);

  Octets drained;
  for (const BufferedBatch& buffered : drain().batches) {
    append(drained, buffered.batch.octets());
    EXPECT_EQ(buffered.batch.stamp().session, record_->id());
    EXPECT_EQ(buffered.batch.stamp().width, SequenceWidth::bits64);
    EXPECT_GE(buffered.batch.stamp().received_at,
              std::chrono::floor<std::chrono::microseconds>(before));
    EXPECT_LE(buffered.batch.stamp().received_at, std::chrono::system_clock::now());
  }
  EXPECT_EQ(drained, stream);
  EXPECT_EQ(record_->bytes(), stream.size());
  EXPECT_EQ(record_->frames(), 2'000U);
  EXPECT_EQ(table_.counts().truncated, 0U);
}

TEST_F(SessionTest, HandsOverALoneFrameAtOnce) {
  start({});
  send_and_be_read(frames_from(0, 1));
  EXPECT_EQ(drain_frames().size(), 1U);
}

TEST_F(SessionTest, PutsAFrameTogetherThatComesInPieces) {
  start({});
  const Octets frame = frames_from(5, 1);
  for (const std::byte octet : frame) {
    EXPECT_EQ(record_->frames(), 0U);
    send_and_be_read({octet});
  }
  EXPECT_EQ(drain_frames(), (std::vector<SeenFrame>{{header(1, 0, 5), sample_payload(50, 5)}}));
}

TEST_F(SessionTest, TakesFramesLargerThanARead) {
  start(at_most(1'000'000));
  Octets stream = frames_from(0, 3);
  append(stream, frames_from(3, 2, 1'000'000));
  append(stream, frames_from(5, 3));
  send(stream);
  half_close();
  expect_end(CloseReason::end_of_stream);
  Octets drained;
  for (const BufferedBatch& buffered : drain().batches) {
    append(drained, buffered.batch.octets());
  }
  EXPECT_EQ(drained, stream);
}

TEST_F(SessionTest, ReadsSpacePacketsForItsListenersSatellite) {
  ListenerOptions options = at_most(65542);
  options.framing = Framing::ccsds_space_packet;
  options.satellite_id = 42;
  start(options);
  const Octets packet = test::space_packet(0x123, 16383, 30);
  Octets stream = packet;
  append(stream, test::space_packet(0x7FF, 0, 10));  // idle
  send(stream);
  half_close();
  expect_end(CloseReason::end_of_stream);
  const Drained drained = drain();
  ASSERT_EQ(drained.batches.size(), 1U);
  EXPECT_EQ(test::frames_of(drained.batches[0].batch),
            (std::vector<SeenFrame>{{header(42, 0x123, 16383), packet}}));
  EXPECT_EQ(drained.batches[0].batch.stamp().width, SequenceWidth::bits14);
  EXPECT_EQ(table_.counts().idle_packets, 1U);
}

ListenerOptions for_packets() {
  ListenerOptions options;
  options.framing = Framing::ccsds_space_packet;
  options.max_payload_bytes = 65'542;
  return options;
}

TEST_F(SessionTest, RefusesTransferFramesAndSaysWhatToConfigure) {
  start(for_packets());
  send({std::byte{0x1A}, std::byte{0xCF}, std::byte{0xFC}, std::byte{0x1D}});
  expect_end(CloseReason::malformed);
  EXPECT_EQ(table_.counts().malformed.at(static_cast<std::size_t>(Malformed::sync_marker)), 1U);
  EXPECT_THAT(log_.text(),
              HasSubstr("malformed at stream offset 0: sync_marker: it begins with the "
                        "attached sync marker 1ACFFC1D"));
  EXPECT_THAT(log_.text(), HasSubstr("framing is \"ccsds_space_packet\""));
}

TEST_F(SessionTest, NamesTransferFramesOnANativeListener) {
  start({});
  send({std::byte{0x1A}, std::byte{0xCF}, std::byte{0xFC}, std::byte{0x1D}});
  expect_end(CloseReason::malformed);
  EXPECT_THAT(log_.text(), HasSubstr("length_too_large: it begins with the attached sync marker"));
}

TEST_F(SessionTest, ReportsImplausiblePacketsOnceAndKeepsThem) {
  start(for_packets());
  send_and_be_read(Octets(70));  // of zeros: ten packets that say that they are the same
  EXPECT_THAT(log_.text(), testing::Not(HasSubstr("look like space packets")));
  send_and_be_read(Octets(700));
  EXPECT_THAT(log_.text(), HasSubstr("from the peer: this does not look like space packets"));
  send_and_be_read(Octets(700));
  half_close();
  expect_end(CloseReason::end_of_stream);
  const std::string text = log_.text();
  EXPECT_EQ(text.find("space packets:"), text.rfind("space packets:")) << text;
  EXPECT_THAT(text, HasSubstr("several sources may share this listener"));
  EXPECT_EQ(table_.counts().implausible, 1U);
  EXPECT_EQ(drain_frames().size(), 210U);
}

TEST_F(SessionTest, ReportsFewImplausiblePacketsAtTheEnd) {
  start(for_packets());
  send(Octets(35));
  half_close();
  expect_end(CloseReason::end_of_stream);
  EXPECT_THAT(log_.text(), HasSubstr("look like space packets: of the first 4 packets"));
}

TEST_F(SessionTest, ResetsAMalformedStreamButKeepsEarlierFrames) {
  start(at_most(100));
  Octets stream = frames_from(0, 3);
  const std::size_t offset = stream.size();
  append(stream, frames_from(3, 1, 101));
  send(stream);
  expect_end(CloseReason::malformed);

  EXPECT_EQ(drain_frames().size(), 3U);
  EXPECT_EQ(table_.counts().malformed.at(static_cast<std::size_t>(Malformed::length_too_large)),
            1U);
  EXPECT_EQ(table_.counts().truncated, 0U) << "counted twice";
  EXPECT_THAT(log_.text(), HasSubstr("from the peer: malformed at stream offset " +
                                     std::to_string(offset) + ": length_too_large"));
  client_.non_blocking(true);
  char octet = 0;
  error_code ec;
  client_.read_some(asio::buffer(&octet, 1), ec);
  EXPECT_EQ(ec, asio::error::connection_reset) << "the peer would take it for success";
}

TEST_F(SessionTest, CountsATruncatedStream) {
  start({});
  Octets stream = frames_from(0, 3);
  const std::size_t offset = stream.size();
  append(stream, std::span<const std::byte>(frames_from(3, 1)).first(33));
  send(stream);
  half_close();
  expect_end(CloseReason::truncated);
  EXPECT_EQ(drain_frames().size(), 3U);
  EXPECT_EQ(table_.counts().truncated, 1U);
  EXPECT_THAT(log_.text(),
              HasSubstr("at stream offset " + std::to_string(offset) + ": 33 bytes discarded"));
}

TEST_F(SessionTest, NamesAResetConnectionAndKeepsItsFrames) {
  start({});
  send_and_be_read(frames_from(0, 3));
  client_.set_option(asio::socket_base::linger(true, 0));
  client_.close();
  expect_end(CloseReason::connection_lost);
  EXPECT_EQ(drain_frames().size(), 3U);
}

TEST_F(SessionTest, ReadsNoMoreOnceItIsStopped) {
  start({});
  send_and_be_read(frames_from(0, 3));
  session_->stop();
  session_->stop();
  send(frames_from(3, 3));
  expect_end(CloseReason::stopped);
  EXPECT_EQ(drain_frames().size(), 3U) << "what was read before is kept";
}

TEST_F(SessionTest, EndsWhereTheAggregatorIsShutDown) {
  start({});
  ASSERT_TRUE(test::call_now(context_, aggregator_->shut_down()).has_value());
  send(frames_from(0, 1));
  expect_end(CloseReason::stopped);
  EXPECT_THAT(log_.text(), HasSubstr("[error]"));
}

/// With room for 2 frames in the buffer and 1 in the channel.
class FullChannel : public SessionTest {
 protected:
  void start_full(WhenChannelFull policy) {
    ListenerOptions listener;
    listener.when_channel_full = policy;
    start(listener, test::options(1, 2, WhenFull::backpressure));
  }
};

TEST_F(FullChannel, IsNotReadForUntilThereIsRoom) {
  start_full(WhenChannelFull::backpressure);
  std::uint64_t sent = 0;
  while (!record_->held() && sent < 20 && !HasFatalFailure()) {
    send_and_be_read(frames_from(sent++, 1));
  }
  ASSERT_TRUE(record_->held());
  const std::uint64_t read = record_->bytes();
  send(frames_from(sent++, 1));
  test::poll(context_);
  EXPECT_EQ(record_->bytes(), read) << "read what there is no room for";

  std::vector<std::uint64_t> sequences;
  while (sequences.size() < sent && !HasFailure()) {
    const std::vector<SeenFrame> frames = drain_frames();
    EXPECT_FALSE(frames.empty()) << "there is room, and nothing comes";
    for (const SeenFrame& frame : frames) {
      sequences.push_back(frame.header.sequence);
    }
  }
  EXPECT_EQ(sequences, numbers(0, sent));
  EXPECT_FALSE(record_->held());
  EXPECT_EQ(ledger().dropped_for(DropReason::channel_full), 0U);
}

TEST_F(FullChannel, DropsAndCountsWhereItsListenerSaysSo) {
  start_full(WhenChannelFull::drop);
  constexpr std::uint64_t sent = 20;
  for (std::uint64_t i = 0; i < sent; ++i) {
    send_and_be_read(frames_from(i, 1));
  }
  EXPECT_FALSE(record_->held());
  const std::uint64_t dropped = ledger().dropped_for(DropReason::channel_full);
  EXPECT_GT(dropped, 0U);
  half_close();
  expect_end(CloseReason::end_of_stream);
  EXPECT_EQ(drain_frames().size() + dropped, sent);
  EXPECT_EQ(ledger().received, sent);
}

}  // namespace
}  // namespace meridian::test
