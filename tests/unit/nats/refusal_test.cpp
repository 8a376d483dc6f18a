#include "nats/refusal.hpp"

#include "nats/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace meridian::test {

using namespace nats;

namespace {

TEST(Refusals, HaveDistinctNames) {
  std::set<std::string_view> names;
  for (const Refusal refusal : all_refusals) {
    names.insert(name_of(refusal));
  }
  EXPECT_EQ(names.size(), all_refusals.size());
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Refusals, NotFromTheStreamLeaveTheOutcomeOpen) {
  for (const Refusal refusal :
       {Refusal::unreachable, Refusal::stream_unavailable, Refusal::no_acknowledgement,
        Refusal::bad_acknowledgement, Refusal::false_duplicate, Refusal::authorization,
        Refusal::tls, Refusal::other}) {
    EXPECT_TRUE(leaves_open(refusal)) << name_of(refusal);
  }
  EXPECT_FALSE(leaves_open(Refusal::stream_full));
  EXPECT_FALSE(leaves_open(Refusal::message_too_large));
}

// What real servers answer is in the integration tests; here is what they can hardly be made to
// say.
struct Said {
  natsStatus status;
  int code;
  std::string text;
  Refusal refusal;
};

class WordsOfTheServer : public testing::TestWithParam<Said> {};

TEST_P(WordsOfTheServer, AreRefusals) {
  const Said& said = GetParam();
  EXPECT_EQ(name_of(refusal_of(said.status, said.code, said.text)), name_of(said.refusal));
}

INSTANTIATE_TEST_SUITE_P(
    Each, WordsOfTheServer,
    testing::Values(
        Said{NATS_ERR, 10'059, "stream not found", Refusal::stream_missing},
        Said{NATS_ERR, 10'060, "expected stream does not match", Refusal::subject_not_in_stream},
        Said{NATS_ERR, 10'054, "message size exceeds maximum allowed", Refusal::message_too_large},
        Said{NATS_ERR, 10'077, "maximum bytes exceeded", Refusal::stream_full},
        Said{NATS_ERR, 10'002, "resource limits exceeded for account", Refusal::stream_full},
        Said{NATS_ERR, 10'023, "insufficient resources", Refusal::stream_full},
        Said{NATS_ERR, 10'008, "JetStream system temporarily unavailable",
             Refusal::stream_unavailable},
        Said{NATS_ERR, 10'118, "stream is offline", Refusal::stream_unavailable},
        Said{NATS_ERR, 10'039, "JetStream not enabled for account", Refusal::not_enabled},
        Said{NATS_ERR, 10'076, "JetStream not enabled", Refusal::not_enabled},
        Said{NATS_ERR, 10'003, "bad request", Refusal::other},
        Said{NATS_CONNECTION_AUTH_FAILED, 0, "Authorization Violation", Refusal::authorization},
        Said{NATS_ERR, 0, "User Authentication Expired", Refusal::authorization},
        Said{NATS_ERR, 0, "no nkey user seed found in 'user.creds'", Refusal::authorization},
        Said{NATS_ERR, 10'065, "subjects overlap with an existing stream",
             Refusal::subject_not_in_stream},
        Said{NATS_SECURE_CONNECTION_REQUIRED, 0, "", Refusal::tls},
        Said{NATS_SSL_ERROR, 0, "certificate verify failed", Refusal::tls},
        Said{NATS_MAX_PAYLOAD, 0, "", Refusal::message_too_large},
        Said{NATS_TIMEOUT, 0, "Timeout", Refusal::no_acknowledgement},
        Said{NATS_STALE_CONNECTION, 0, "", Refusal::unreachable},
        Said{NATS_NO_SERVER, 0, "", Refusal::unreachable},
        Said{NATS_NO_MEMORY, 0, "", Refusal::other}));

TEST(TextsOfTheLibrary, LoseTheirPlaceInItsSource) {
  EXPECT_EQ(without_place("(conn.c:2088): No server available"), "No server available");
  EXPECT_EQ(without_place("(not a place"), "(not a place");
  EXPECT_EQ(without_place(""), "");
}

}  // namespace
}  // namespace meridian::test
