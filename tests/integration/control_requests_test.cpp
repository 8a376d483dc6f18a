// How requests are written and how they are answered: JSON-RPC 2.0, plain words, errors.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class ControlRequests : public DaemonTest {
 protected:
  void SetUp() override {
    start();
    client_.emplace(daemon().connect());
  }
  void TearDown() override {
    client_.reset();
    DaemonTest::TearDown();
  }
  ControlClient& client() { return *client_; }

  /// That the connection still works, and that nothing unexpected came on it.
  void expect_in_step() { EXPECT_TRUE(client().ask("depth").contains("frames")); }

 private:
  std::optional<ControlClient> client_;
};

TEST_F(ControlRequests, AnswerIsJsonRpcWithTheRequestId) {
  for (const Json& id : {Json(7), Json("seven"), Json(nullptr), Json(-1), Json(1.5), Json("")}) {
    const Json answer = client().ask(rpc("depth", Json::object(), id));
    EXPECT_EQ(answer,
              (Json{{"jsonrpc", "2.0"}, {"id", id}, {"result", {{"frames", 0}, {"bytes", 0}}}}));
  }
}

TEST_F(ControlRequests, PipelinedRequestsAreAnsweredInOrder) {
  std::string lines;
  for (int id = 0; id < 500; ++id) {
    const char* const methods[] = {"depth", "stats", "drain", "uplinks", "version", "unknown"};
    lines += rpc(methods[id % 6], Json::object(), id) + "\n";
  }
  client().send(lines);
  for (int id = 0; id < 500; ++id) {
    const Json answer = client().read_json();
    ASSERT_EQ(answer.at("id"), id);
    ASSERT_EQ(error_code_of(answer), id % 6 == 5 ? -32601 : 0);
  }
  expect_in_step();
}

TEST_F(ControlRequests, RequestMayArriveOctetByOctet) {
  for (const char octet : rpc("version") + "\r\n") {
    client().send(std::string_view(&octet, 1));
  }
  EXPECT_EQ(client().read_json().at("result").at("name"), "meridiand");
}

TEST_F(ControlRequests, PlainWordIsAnsweredWithTheResultAlone) {
  for (const char* word : {"depth", "flush", "stats", "uplinks", "satellites", "version"}) {
    const Json with_envelope = client().ask(rpc(word));
    const Json alone = client().ask(word);
    ASSERT_TRUE(alone.is_object()) << word;
    EXPECT_FALSE(alone.contains("jsonrpc")) << word;
    for (const auto& [key, value] : with_envelope.at("result").items()) {
      EXPECT_TRUE(alone.contains(key)) << word << ": " << key;
    }
  }
  send_whole(daemon().port(), frames_of(1, 0, 2));
  EXPECT_EQ(client().ask("drain").at("frames").size(), 2U);
}

TEST_F(ControlRequests, LastLineNeedsNoEnd) {
  client().send("depth");
  client().socket().half_close();
  EXPECT_EQ(client().socket().read_to_end(), "{\"frames\":0,\"bytes\":0}\n");
}

TEST_F(ControlRequests, LinesBeforeEndOfStreamAreAnswered) {
  client().send("depth\nversion\n");
  client().socket().half_close();
  EXPECT_EQ(test::lines_of(client().socket().read_to_end()).size(), 2U);
}

TEST_F(ControlRequests, NotificationIsCarriedOutAndNotAnswered) {
  send_whole(daemon().port(), frames_of(1, 0, 2));
  client().send_line(R"({"jsonrpc":"2.0","method":"flush"})");
  const Json next = client().ask("stats");
  ASSERT_TRUE(next.contains("ledger")) << next;
  EXPECT_EQ(next.at("ledger").at("flushed"), 2);
}

TEST_F(ControlRequests, NotificationOfADrainLosesNothing) {
  send_whole(daemon().port(), frames_of(1, 0, 2));
  client().send_line(R"({"jsonrpc":"2.0","method":"drain"})");
  EXPECT_EQ(client().ask("depth").at("frames"), 2) << "nobody would have got the frames";
}

TEST_F(ControlRequests, NotificationWithAnErrorIsNotAnsweredEither) {
  client().send_line(R"({"jsonrpc":"2.0","method":"unknown"})");
  client().send_line(R"({"jsonrpc":"2.0","method":"drain","params":{"max_frames":"many"}})");
  expect_in_step();
}

struct BadRequest {
  const char* name;
  std::string line;
  int code;
  std::string message;
  Json id = nullptr;  ///< that the answer carries
};
void PrintTo(const BadRequest& request, std::ostream* out) {
  *out << request.name;
}

class BadRequests : public ControlRequests, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequests, GetErrorsThatSayWhatToDo) {
  const Json answer = client().ask(GetParam().line);
  EXPECT_EQ(error_code_of(answer), GetParam().code) << answer;
  EXPECT_EQ(answer.at("jsonrpc"), "2.0");
  EXPECT_EQ(answer.at("id"), GetParam().id);
  EXPECT_THAT(error_message_of(answer), HasSubstr(GetParam().message));
  EXPECT_FALSE(answer.contains("result"));
  expect_in_step();
}

std::string drain_with(const Json& params) {
  return rpc("drain", params, 5);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadRequests,
    testing::Values(
        BadRequest{"CutOffJson", R"({"jsonrpc":"2.0","id":1,"method":)", -32700, "JSON"},
        BadRequest{"TextBehindTheObject", R"({"jsonrpc":"2.0","id":1,"method":"depth"} x)", -32700,
                   "JSON"},
        BadRequest{"NotUtf8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xFF\"}", -32700, "JSON"},
        BadRequest{"NoVersion", R"({"id":1,"method":"depth"})", -32600, "jsonrpc", 1},
        BadRequest{"OldVersion", R"({"jsonrpc":"1.0","id":1,"method":"depth"})", -32600, "jsonrpc",
                   1},
        BadRequest{"NoMethod", R"({"jsonrpc":"2.0","id":1})", -32600, "method", 1},
        BadRequest{"MethodNotAString", R"({"jsonrpc":"2.0","id":1,"method":3})", -32600, "method",
                   1},
        BadRequest{"IdAnObject", R"({"jsonrpc":"2.0","id":{},"method":"depth"})", -32600, "id"},
        BadRequest{"EmptyObject", "{}", -32600, "jsonrpc"},
        BadRequest{"Batch", R"([{"jsonrpc":"2.0","id":1,"method":"depth"}])", -32600, "one"},
        BadRequest{"EmptyLine", "", -32600, "depth"},
        BadRequest{"UnknownMethod", R"({"jsonrpc":"2.0","id":"a","method":"reboot"})", -32601,
                   "reboot", "a"},
        BadRequest{"UnknownWord", "reboot", -32601, "depth, drain, commit, release, flush, stats"},
        BadRequest{"WordWithParameters", "drain 5", -32601, "drain"},
        BadRequest{"MaxFramesAString", drain_with({{"max_frames", "5"}}), -32602, "max_frames", 5},
        BadRequest{"MaxFramesNegative", drain_with({{"max_frames", -1}}), -32602, "max_frames", 5},
        BadRequest{"MaxFramesAFraction", drain_with({{"max_frames", 1.5}}), -32602, "max_frames",
                   5},
        BadRequest{"MaxFramesNull", drain_with({{"max_frames", nullptr}}), -32602, "max_frames", 5},
        BadRequest{"SatelliteTooLarge", drain_with({{"satellite_id", 4294967296}}), -32602,
                   "satellite_id must be an integer from 0 to 4294967295", 5},
        BadRequest{"SatelliteAString", drain_with({{"satellite_id", "1"}}), -32602, "satellite_id",
                   5},
        BadRequest{"UnknownFormat", drain_with({{"format", "xml"}}), -32602,
                   R"("json" or "binary")", 5},
        BadRequest{"FormatANumber", drain_with({{"format", 1}}), -32602, "format", 5},
        BadRequest{"UnknownParameter", drain_with({{"max_frame", 1}}), -32602, "max_frame", 5},
        BadRequest{"ParamsByPosition", R"({"jsonrpc":"2.0","id":5,"method":"drain","params":[1]})",
                   -32602, "named", 5},
        BadRequest{"ParamsANumber", R"({"jsonrpc":"2.0","id":5,"method":"depth","params":1})",
                   -32602, "params", 5},
        BadRequest{"ParamsWhereThereAreNone", rpc("depth", {{"satellite_id", 1}}, 5), -32602,
                   "no parameters", 5},
        BadRequest{"NestedDeeply", R"({"jsonrpc":"2.0","id":)" + std::string(30'000, '['), -32700,
                   "JSON"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(ControlRequests, BadRequestsDrainNothing) {
  send_whole(daemon().port(), frames_of(1, 0, 5));
  for (const char* line :
       {R"({"jsonrpc":"2.0","id":1,"method":"drain","params":{"max_frames":1,"format":"xml"}})",
        R"({"id":1,"method":"drain"})", "drain all"}) {
    EXPECT_NE(error_code_of(client().ask(line)), 0);
  }
  EXPECT_EQ(client().ask("depth").at("frames"), 5);
}

}  // namespace
}  // namespace meridian::test
