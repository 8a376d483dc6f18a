// Publishing into real servers: what they store, what they refuse, and what happens when they go.
#include "integration/harness/nats_server.hpp"
#include "integration/harness/test_sink.hpp"
#include "sink/jetstream/headers.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>

namespace meridian::test {
namespace {

using nats::Refusal;
using sink::Message;
using sink::Ticket;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

class NatsPublisher : public test::NatsTest {
 protected:
  /// A server without the stream of the sink.
  NatsServer& start(NatsConfig config = {}) {
    server_ = std::make_unique<NatsServer>(std::move(config));
    server_->start();
    options_ = sink_options({server_->url()});
    return *server_;
  }
  NatsServer& start_with_stream(NatsConfig config = {}) {
    start(std::move(config));
    create_stream(options_);
    return *server_;
  }

  /// Publishes one message and returns its fate.
  std::string fate_of_one(std::uint32_t frames = 1, std::size_t payload_bytes = 100) {
    TestSink sink(options_);
    EXPECT_TRUE(sink.connected());
    return sink.fate(sink.publish(message_of("id", 1, frames, payload_bytes)));
  }

  NatsServer& server() { return *server_; }
  sink::Options& options() { return options_; }

 private:
  std::unique_ptr<NatsServer> server_;
  sink::Options options_;
};

std::string octets_of(const Message& message) {
  std::string octets;
  for (const FrameBatch& part : message.parts) {
    octets.append(reinterpret_cast<const char*>(part.octets().data()), part.bytes());
  }
  return octets;
}

/// A message of two parts.
Message message_in_parts() {
  Message one = message_of("id", 10, 5);
  Message other = message_of("id", 15, 7, 31);
  one.parts.push_back(std::move(other.parts.front()));
  return sink::make_message("id", std::move(one.parts));
}

TEST_F(NatsPublisher, WhatIsPublishedIsStoredAsItCame) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  const Message message = message_in_parts();
  const auto outcome = sink.outcome(sink.publish(message));
  EXPECT_TRUE(std::holds_alternative<sink::jetstream::Acknowledged>(outcome.result));
  const std::vector<StoredMessage> stored = stored_in(options());
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].subject, "meridian.7.3");
  EXPECT_EQ(stored[0].octets, octets_of(message));
  for (const sink::jetstream::Header& header : sink::jetstream::headers_of(message)) {
    EXPECT_THAT(stored[0].headers, Contains(Pair(header.name, header.value)));
  }
}

TEST_F(NatsPublisher, ManyMessagesInFlightAreStoredInOrder) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  constexpr std::uint32_t messages = 200;
  for (std::uint32_t i = 0; i < messages; ++i) {
    sink.publish(message_of(fmt::format("id-{}", i), i * 10, 10));
  }
  ASSERT_TRUE(sink.settled());
  EXPECT_THAT(sink.fates(), ElementsAre(Pair("acknowledged", messages)));
  const std::vector<StoredMessage> stored = stored_in(options());
  ASSERT_EQ(stored.size(), messages);
  for (std::uint32_t i = 0; i < messages; ++i) {
    EXPECT_EQ(stored[i].headers.at("Nats-Msg-Id"), fmt::format("id-{}", i));
  }
}

TEST_F(NatsPublisher, ARepetitionIsToldAndNotStored) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 5))), "acknowledged");
  EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 5))), "duplicate");
  EXPECT_EQ(sink.fate(sink.publish(message_of("two", 6, 5))), "acknowledged");
  EXPECT_EQ(stored_in(options()).size(), 2U);
}

TEST_F(NatsPublisher, DuplicateIsRecognisedAfterAServerCrash) {
  start_with_stream();
  {
    TestSink sink(options());
    ASSERT_TRUE(sink.connected());
    EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 5))), "acknowledged");
  }
  server().kill();
  server().start();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 5))), "duplicate");
}

TEST_F(NatsPublisher, WithoutAServerMessagesAreRefusedAtOnce) {
  const auto port = test::BoundSocket::reserved_port();
  options() = sink_options({"nats://user:secret@" + port.address()});
  TestSink sink(options());
  EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 1))), "unreachable");
  EXPECT_THAT(sink.refused_as(Refusal::unreachable), HasSubstr("nats://" + port.address()));
  EXPECT_THAT(sink.refused_as(Refusal::unreachable), Not(HasSubstr("secret")));
}

TEST_F(NatsPublisher, AStreamThatIsMissingIsNamed) {
  start();
  EXPECT_EQ(fate_of_one(), "stream_missing");
}

TEST_F(NatsPublisher, AStreamWithOtherSubjectsIsNamed) {
  start();
  add_stream(options(), "TELEMETRY", "other.>");
  EXPECT_EQ(fate_of_one(), "subject_not_in_stream");
}

TEST_F(NatsPublisher, MessageGoesToNoOtherStream) {
  start();
  add_stream(options(), "TELEMETRY", "other.>");
  add_stream(options(), "ANOTHER", "meridian.>");
  EXPECT_EQ(fate_of_one(), "subject_not_in_stream");
  options().jetstream.stream = "ANOTHER";
  EXPECT_TRUE(stored_in(options()).empty());
}

TEST_F(NatsPublisher, AServerWithoutJetStreamIsNamed) {
  start({.jet_stream = false});
  EXPECT_EQ(fate_of_one(), "not_enabled");
}

TEST_F(NatsPublisher, MessageTooLargeForTheServerIsRefused) {
  start_with_stream({.lines = "max_payload: 4096\n"});
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  EXPECT_EQ(sink.fate(sink.publish(message_of("large", 1, 1, 5000))), "message_too_large");
  EXPECT_EQ(sink.fate(sink.publish(message_of("small", 1, 1, 100))), "acknowledged");
  EXPECT_EQ(sink.states().size(), 1U);  // the connection has stayed
}

TEST_F(NatsPublisher, MessageTooLargeForTheStreamIsRefused) {
  start();
  add_stream(options(), "TELEMETRY", "meridian.>",
             [](jsStreamConfig& config) { config.MaxMsgSize = 4096; });
  EXPECT_EQ(fate_of_one(1, 5000), "message_too_large");
}

TEST_F(NatsPublisher, FullStreamRefusesAndKeepsItsMessages) {
  start();
  add_stream(options(), "TELEMETRY", "meridian.>", [](jsStreamConfig& config) {
    config.MaxBytes = 20'000;
    config.Discard = js_DiscardNew;
  });
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  for (std::uint32_t i = 0; i < 30; ++i) {
    sink.publish(message_of(fmt::format("id-{}", i), i, 1, 1000));
  }
  ASSERT_TRUE(sink.settled());
  const auto fates = sink.fates();
  EXPECT_THAT(fates, UnorderedElementsAre(Pair("acknowledged", stored_in(options()).size()),
                                          Pair("stream_full", testing::_)));
}

TEST_F(NatsPublisher, AFullServerRefuses) {
  start_with_stream({.max_file_store = "20KB"});
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  for (std::uint32_t i = 0; i < 60; ++i) {
    sink.publish(message_of(fmt::format("id-{}", i), i, 1, 1000));
  }
  ASSERT_TRUE(sink.settled());
  EXPECT_THAT(sink.fates(), UnorderedElementsAre(Pair("acknowledged", testing::_),
                                                 Pair("stream_full", testing::_)));
}

TEST_F(NatsPublisher, MissingAcknowledgementIsARefusal) {
  start();
  add_stream(options(), "TELEMETRY", "meridian.>",
             [](jsStreamConfig& config) { config.NoAck = true; });
  EXPECT_EQ(fate_of_one(), "no_acknowledgement");
}

TEST_F(NatsPublisher, UnresponsiveServerIsGivenUpAndFoundAgain) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  server().halt();
  const Ticket in_vain = sink.publish(message_of("one", 1, 5));
  EXPECT_THAT(sink.fate(in_vain), testing::AnyOf("no_acknowledgement", "unreachable"));
  EXPECT_THAT(sink.refused_as(Refusal::unreachable), HasSubstr("lost"));
  server().resume();
  ASSERT_TRUE(sink.connected());
  EXPECT_THAT(sink.fate(sink.publish(message_of("one", 1, 5))),
              testing::AnyOf("acknowledged", "duplicate"));
  EXPECT_EQ(stored_in(options()).size(), 1U);
}

TEST_F(NatsPublisher, ServerThatDoesNotReadBlocksPublishingBriefly) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  server().halt();
  const auto since = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < 60; ++i) {
    sink.publish(message_of(fmt::format("id-{}", i), i * 100, 100, 5000));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - since, 3 * nats::Session::write_deadline);
  ASSERT_TRUE(sink.settled());
  EXPECT_THAT(sink.counts(), Each(Pair(testing::_, 1U)));
  EXPECT_THAT(sink.fates(), Not(Contains(Pair("acknowledged", testing::_))));
  server().resume();
}

/// Publishes messages with ids 0 to `messages` - 1 until each is acknowledged; `disturb` is called
/// with how many are. Returns false where they never are.
template <typename Disturb>
bool publish_all(TestSink& sink, std::size_t messages, Disturb disturb) {
  std::set<std::size_t> open;
  for (std::size_t i = 0; i < messages; ++i) {
    open.insert(i);
  }
  std::size_t rounds = 0;
  while (!open.empty() && rounds++ < 1000) {
    std::map<Ticket, std::size_t> tickets;
    for (const std::size_t id : open) {
      tickets[sink.publish(message_of(fmt::format("id-{}", id), id * 10, 10))] = id;
      if (tickets.size() == 20) {
        break;
      }
    }
    for (const auto& [ticket, id] : tickets) {
      const std::string fate = sink.fate(ticket);
      if (fate == "acknowledged" || fate == "duplicate") {
        open.erase(id);
      }
    }
    disturb(messages - open.size());
    EXPECT_TRUE(sink.connected());
  }
  return open.empty();
}

void expect_each_once(const sink::Options& options, std::size_t messages) {
  std::map<std::string, std::size_t> ids;
  for (const StoredMessage& stored : stored_in(options)) {
    ++ids[stored.headers.at("Nats-Msg-Id")];
  }
  EXPECT_EQ(ids.size(), messages);
  EXPECT_THAT(ids, Each(Pair(testing::_, 1U)));
}

TEST_F(NatsPublisher, EveryTicketHasOneOutcomeDespiteServerDeaths) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  std::size_t deaths = 0;
  const bool all = publish_all(sink, 400, [&](std::size_t done) {
    if (done / 100 > deaths) {
      ++deaths;
      // In the middle of what is on its way.
      for (std::size_t i = 0; i < 50; ++i) {
        sink.publish(message_of(fmt::format("id-{}", i), i * 10, 10));
      }
      server().kill();
      sink.publish(message_of("id-0", 0, 10));
      server().start();
    }
  });
  EXPECT_TRUE(all);
  EXPECT_EQ(deaths, 4U);
  ASSERT_TRUE(sink.settled());
  EXPECT_THAT(sink.counts(), Each(Pair(testing::_, 1U)));
  expect_each_once(options(), 400);
}

TEST_F(NatsPublisher, AServerThatIsStartedLaterIsFound) {
  NatsServer late;
  options() = sink_options({late.url()});
  TestSink sink(options());
  EXPECT_THAT(sink.refused_as(Refusal::unreachable), HasSubstr(late.url()));
  late.start();
  create_stream(options());
  ASSERT_TRUE(sink.connected());
  EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 1))), "acknowledged");
  EXPECT_EQ(std::get<nats::Connected>(sink.states().back()).server, late.url());
}

TEST_F(NatsPublisher, OneServerOfSeveralIsEnough) {
  start_with_stream();
  const auto nobody = test::BoundSocket::reserved_port();
  const auto silent = test::BoundSocket::listening_port();
  options().jetstream.servers = {"nats://" + nobody.address(), "nats://" + silent.address(),
                                 server().url()};
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 1))), "acknowledged");
}

TEST_F(NatsPublisher, TheEndComesInTheMiddleOfEverything) {
  start_with_stream();
  for (int i = 0; i < 20; ++i) {
    TestSink sink(options());
    if (i % 4 != 0) {
      ASSERT_TRUE(sink.connected());
    }
    for (std::uint32_t j = 0; j < 50; ++j) {
      sink.publish(message_of(fmt::format("{}-{}", i, j), j, 1));
    }
    if (i % 2 == 0) {
      sink.end_publisher();
    }
    // The sanitizers tell whether anybody comes too late.
  }
  TestSink after(options());
  ASSERT_TRUE(after.connected());
  EXPECT_EQ(after.fate(after.publish(message_of("after", 1, 1))), "acknowledged");
}

TEST_F(NatsPublisher, EndDoesNotWaitForAMissingServer) {
  const auto silent = test::BoundSocket::listening_port();
  options() = sink_options({"nats://" + silent.address()});
  TestSink sink(options());
  pollfd attempt{.fd = silent.descriptor(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&attempt, 1, static_cast<int>(test::patience.count())), 1);
  const auto since = std::chrono::steady_clock::now();
  sink.end();
  EXPECT_LT(std::chrono::steady_clock::now() - since, test::at_most(std::chrono::seconds(4)));
}

TEST_F(NatsPublisher, EndDoesNotWaitForAnUnresponsiveServer) {
  start_with_stream();
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  server().halt();
  sink.publish(message_of("one", 1, 5));
  const auto since = std::chrono::steady_clock::now();
  sink.end();
  EXPECT_LT(std::chrono::steady_clock::now() - since, test::at_most(std::chrono::seconds(8)));
  server().resume();
}

TEST_F(NatsPublisher, AClusterThatLosesItsLeaderLosesNothing) {
  test::NatsCluster cluster;
  options() = sink_options(cluster.urls());
  create_stream(options(), 3);
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  bool killed = false;
  std::string leader;
  const bool all = publish_all(sink, 400, [&](std::size_t done) {
    if (done >= 100 && !killed) {
      killed = true;
      leader = cluster.leader_of(options().jetstream.stream);
      cluster.named(leader).kill();
    }
  });
  EXPECT_TRUE(all);
  EXPECT_THAT(sink.counts(), Each(Pair(testing::_, 1U)));
  EXPECT_NE(cluster.leader_of(options().jetstream.stream), leader);
  cluster.named(leader).start();
  cluster.wait_current();
  expect_each_once(options(), 400);
}

TEST_F(NatsPublisher, ClusterRefusesUntilItHasAMajority) {
  test::NatsCluster cluster;
  options() = sink_options({cluster.at(0).url()});
  create_stream(options(), 3);
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  cluster.at(1).kill();
  cluster.at(2).kill();
  const std::string fate = sink.fate(sink.publish(message_of("one", 1, 5)));
  EXPECT_THAT(fate, testing::AnyOf("no_acknowledgement", "stream_unavailable"));
  cluster.at(1).spawn();
  cluster.at(2).spawn();
  cluster.wait_current();
  EXPECT_TRUE(publish_all(sink, 20, [](std::size_t) {}));
}

}  // namespace
}  // namespace meridian::test
