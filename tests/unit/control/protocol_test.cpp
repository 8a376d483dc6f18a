#include "control/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace meridian::test {

using namespace control;

namespace {

using testing::HasSubstr;
using testing::Not;

Request accepted(std::string_view line) {
  auto parsed = parse_request(line);
  if (const auto* error = std::get_if<Error>(&parsed)) {
    throw std::runtime_error(error->message);
  }
  return std::get<Request>(std::move(parsed));
}

Error refused(std::string_view line) {
  auto parsed = parse_request(line);
  if (std::holds_alternative<Request>(parsed)) {
    throw std::runtime_error("accepted: " + std::string(line));
  }
  return std::get<Error>(std::move(parsed));
}

/// A request with this text for its id and, where there is any, for its params.
std::string rpc(const std::string& method, const std::string& id = "1",
                const std::string& params = "") {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + "\"" +
         (params.empty() ? "" : ",\"params\":" + params) + "}";
}

DrainParams drain_params(const std::string& params) {
  return accepted(rpc("drain", "1", params)).drain;
}

TailParams tail_params(const std::string& params) {
  return accepted(rpc("tail", "1", params)).tail;
}

struct NamedMethod {
  const char* name;
  Method method;
};
void PrintTo(const NamedMethod& method, std::ostream* out) {
  *out << method.name;
}

class EveryMethod : public testing::TestWithParam<NamedMethod> {};

TEST_P(EveryMethod, IsUnderstoodAsAPlainWord) {
  const Request request = accepted(GetParam().name);
  EXPECT_EQ(request.method, GetParam().method);
  EXPECT_TRUE(request.plain);
  EXPECT_TRUE(request.id.has_value()) << "a plain word is answered";
}

TEST_P(EveryMethod, IsUnderstoodAsAnObject) {
  for (const char* params : {"", "{}", "[]"}) {
    const Request request = accepted(rpc(GetParam().name, "5", params));
    EXPECT_EQ(request.method, GetParam().method) << params;
    EXPECT_FALSE(request.plain);
    ASSERT_TRUE(request.id.has_value());
    EXPECT_EQ(*request.id, SentJson(5));
  }
}

TEST_P(EveryMethod, IsNamedWhereAnotherIsUnknown) {
  EXPECT_THAT(refused("reboot").message, HasSubstr(GetParam().name));
}

INSTANTIATE_TEST_SUITE_P(
    Each, EveryMethod,
    testing::Values(NamedMethod{"depth", Method::depth}, NamedMethod{"drain", Method::drain},
                    NamedMethod{"flush", Method::flush}, NamedMethod{"stats", Method::stats},
                    NamedMethod{"uplinks", Method::uplinks},
                    NamedMethod{"satellites", Method::satellites},
                    NamedMethod{"tail", Method::tail}, NamedMethod{"health", Method::health},
                    NamedMethod{"reload", Method::reload}, NamedMethod{"version", Method::version}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ParseRequest, LeavesBlanksAroundALineAside) {
  for (const char* line : {"flush", "flush\r", "flush\r\n", "  flush", "\tflush \t"}) {
    EXPECT_EQ(accepted(line).method, Method::flush) << line;
  }
  EXPECT_EQ(accepted("  " + rpc("flush") + "\r\n").method, Method::flush);
}

TEST(ParseRequest, IgnoresMembersThatItDoesNotKnow) {
  EXPECT_EQ(accepted(R"({"trace":"x","jsonrpc":"2.0","id":1,"method":"stats"})").method,
            Method::stats);
}

TEST(ParseRequest, ObjectWithoutAnIdIsANotification) {
  const Request request = accepted(R"({"jsonrpc":"2.0","method":"flush"})");
  EXPECT_EQ(request.method, Method::flush);
  EXPECT_FALSE(request.id.has_value());
}

TEST(ParseRequest, TellsAnIdOfNullFromNone) {
  EXPECT_TRUE(accepted(rpc("flush", "null")).id.has_value());
}

TEST(TailParams, AskForEverythingUnlessTheySayOtherwise) {
  for (const TailParams& tail : {accepted("tail").tail, tail_params("{}")}) {
    EXPECT_FALSE(tail.satellite_id.has_value());
    EXPECT_FALSE(tail.channel_id.has_value());
    EXPECT_FALSE(tail.limit.has_value());
    EXPECT_EQ(tail.format, FrameFormat::json);
  }
}

TEST(TailParams, AreReadTogether) {
  const TailParams tail =
      tail_params(R"({"satellite_id":4294967295,"channel_id":65535,"limit":9,"format":"binary"})");
  EXPECT_EQ(tail.satellite_id, SatelliteId{4'294'967'295});
  EXPECT_EQ(tail.channel_id, ChannelId{65'535});
  EXPECT_EQ(tail.limit, 9U);
  EXPECT_EQ(tail.format, FrameFormat::binary);
}

TEST(TailParams, OutOfTheirBoundsOrUnknownAreRefused) {
  for (const auto& [params, message] : std::vector<std::pair<std::string, std::string>>{
           {R"({"satellite_id":4294967296})",
            "satellite_id must be an integer from 0 to 4294967295"},
           {R"({"channel_id":65536})", "channel_id must be an integer from 0 to 65535"},
           {R"({"channel_id":"1"})", "channel_id must be an integer from 0 to 65535"},
           {R"({"limit":0})", "limit must be an integer from 1 to"},
           {R"({"format":"table"})", "format must be"},
           {R"({"max_frames":1})", "tail has no parameter \"max_frames\": use satellite_id"}}) {
    const Error error = refused(rpc("tail", "1", params));
    EXPECT_EQ(error.code, ErrorCode::invalid_params) << params;
    EXPECT_THAT(error.message, HasSubstr(message));
  }
}

TEST(ForgetParams, AreASatelliteAndPerhapsAChannel) {
  const ForgetParams all = accepted(rpc("forget", "1", R"({"satellite_id":7})")).forget;
  EXPECT_EQ(all.satellite_id, 7U);
  EXPECT_FALSE(all.channel_id.has_value());
  EXPECT_EQ(
      accepted(rpc("forget", "1", R"({"satellite_id":7,"channel_id":65535})")).forget.channel_id,
      ChannelId{65'535});
  for (const auto& [params, message] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "forget needs the parameter satellite_id"},
           {R"({"channel_id":1})", "forget needs the parameter satellite_id"},
           {R"({"satellite_id":"7"})", "satellite_id must be an integer from 0 to 4294967295"},
           {R"({"satellite_id":7,"channel_id":65536})",
            "channel_id must be an integer from 0 to 65535"},
           {R"({"satellite_id":7,"all":true})",
            "forget has no parameter \"all\": use satellite_id, channel_id"}}) {
    const Error error = refused(rpc("forget", "1", params));
    EXPECT_EQ(error.code, ErrorCode::invalid_params) << params;
    EXPECT_THAT(error.message, HasSubstr(message));
  }
  EXPECT_EQ(refused("forget").code, ErrorCode::invalid_params) << "a word has no parameters";
}

TEST(LogLevelParams, AreALevel) {
  EXPECT_EQ(accepted(rpc("log_level", "1", R"({"level":"debug"})")).log_level, "debug");
  for (const char* params :
       {"", "{}", "[]", R"({"level":1})", R"({"level":"info","more":1})", R"({"to":"info"})"}) {
    const Error error = refused(rpc("log_level", "1", params));
    EXPECT_EQ(error.code, ErrorCode::invalid_params) << params;
    EXPECT_THAT(error.message, HasSubstr("level"));
  }
  EXPECT_EQ(refused("log_level").code, ErrorCode::invalid_params) << "a word has no parameters";
}

TEST(DrainParams, HaveTheDefaultsOfTheContract) {
  for (const DrainParams& drain : {accepted("drain").drain, drain_params("{}")}) {
    EXPECT_EQ(drain.max_frames, 1000U);
    EXPECT_FALSE(drain.satellite_id.has_value());
    EXPECT_EQ(drain.format, FrameFormat::json);
  }
}

TEST(DrainParams, AreReadTogether) {
  const DrainParams drain = drain_params(R"({"format":"binary","satellite_id":42,"max_frames":7})");
  EXPECT_EQ(drain.max_frames, 7U);
  EXPECT_EQ(drain.satellite_id, SatelliteId{42});
  EXPECT_EQ(drain.format, FrameFormat::binary);
  EXPECT_EQ(drain_params(R"({"format":"json"})").format, FrameFormat::json);
}

TEST(DrainParams, ReachFromTheLeastToTheMost) {
  EXPECT_EQ(drain_params(R"({"max_frames":1})").max_frames, 1U);
  EXPECT_EQ(drain_params(R"({"max_frames":9223372036854775807})").max_frames,
            9'223'372'036'854'775'807U);
  EXPECT_EQ(drain_params(R"({"satellite_id":0})").satellite_id, SatelliteId{0});
  EXPECT_EQ(drain_params(R"({"satellite_id":4294967295})").satellite_id, SatelliteId{4294967295});
}

/// Lists in each other.
std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST(ParseRequest, TakesParamsOfAnyDepthWithoutTheStack) {
  constexpr std::size_t megabytes = 4'000'000;
  for (const char* id : {"1", "null", R"("x")"}) {
    const Error error = refused(rpc("drain", id, nested(megabytes)));
    EXPECT_EQ(error.code, ErrorCode::invalid_request);
    EXPECT_EQ(error.id.text(), id);
  }
  std::string objects;
  for (std::size_t i = 0; i < 200'000; ++i) {
    objects += R"({"a":)";
  }
  objects += "1" + std::string(200'000, '}');
  EXPECT_EQ(refused(rpc("flush", objects)).code, ErrorCode::invalid_request);
  EXPECT_EQ(refused(rpc("flush", "1", objects)).code, ErrorCode::invalid_request);
}

TEST(ParseRequest, TakesAMemberAsDeepAsIsAllowed) {
  const std::string line =
      R"({"x":)" + nested(deepest_request - 1) + R"(,"jsonrpc":"2.0","id":1,"method":"depth"})";
  EXPECT_EQ(accepted(line).method, Method::depth);
}

struct BadLine {
  const char* name;
  std::string line;
  ErrorCode code;
  std::string said;
  SentJson id = nullptr;
  bool to_notification = false;
};
void PrintTo(const BadLine& bad, std::ostream* out) {
  *out << bad.name;
}

class BadLines : public testing::TestWithParam<BadLine> {};

TEST_P(BadLines, AreRefusedWithCodeIdAndAdvice) {
  const Error error = refused(GetParam().line);
  EXPECT_EQ(error.code, GetParam().code) << error.message;
  EXPECT_THAT(error.message, HasSubstr(GetParam().said));
  EXPECT_EQ(error.id, GetParam().id);
  EXPECT_EQ(error.to_notification, GetParam().to_notification);
}

constexpr ErrorCode parse_error = ErrorCode::parse_error;
constexpr ErrorCode invalid_request = ErrorCode::invalid_request;
constexpr ErrorCode not_found = ErrorCode::method_not_found;
constexpr ErrorCode invalid_params = ErrorCode::invalid_params;

INSTANTIATE_TEST_SUITE_P(
    Each, BadLines,
    testing::Values(
        BadLine{"CutOff", R"({"jsonrpc":"2.0","id":1)", parse_error, "send one JSON-RPC 2.0"},
        BadLine{"TextBehind", rpc("depth") + "x", parse_error, "send one JSON-RPC 2.0"},
        BadLine{"IdTooLarge", rpc("depth", "1e999"), invalid_request,
                "id: the number is too large"},
        BadLine{"NumberTooLarge", rpc("drain", "3", R"({"max_frames":1e999})"), invalid_request,
                "params.max_frames: the number is too large", 3},
        BadLine{"MethodTwice", R"({"id":3,"jsonrpc":"2.0","method":"depth","method":"flush"})",
                invalid_request, "method is given twice", 3},
        BadLine{"MethodTwiceOnceEscaped",
                R"({"jsonrpc":"2.0","method":"depth","\u006dethod":"flush","id":3})",
                invalid_request, "method is given twice", 3},
        BadLine{"IdTwice", R"({"jsonrpc":"2.0","id":1,"id":2,"method":"depth"})", invalid_request,
                "id is given twice"},
        BadLine{"ParameterTwice", rpc("drain", "3", R"({"max_frames":1,"max_frames":2})"),
                invalid_request, "params.max_frames is given twice", 3},
        BadLine{"UnknownMemberTwice",
                R"({"x":{"y":1,"y":1},"jsonrpc":"2.0","id":3,"method":"depth"})", invalid_request,
                "x.y is given twice", 3},
        BadLine{"NestedTooDeeply", rpc("drain", "3", nested(deepest_request)), invalid_request,
                "deeper than 32 levels", 3},
        BadLine{"NestedAndCutOff", R"({"jsonrpc":"2.0","id":3,"params":)" + std::string(100, '['),
                parse_error, "send one JSON-RPC 2.0"},
        BadLine{"Empty", "", invalid_request, "send a JSON-RPC 2.0 object or one of depth, drain"},
        BadLine{"Blank", " \r\n", invalid_request, "send a JSON-RPC 2.0 object or one of depth"},
        BadLine{"Batch", "[" + rpc("depth") + "]", invalid_request, "one JSON-RPC 2.0 object per"},
        BadLine{"EmptyObject", "{}", invalid_request, R"("jsonrpc": "2.0")"},
        BadLine{"NoVersion", R"({"id":3,"method":"depth"})", invalid_request, R"("2.0")", 3},
        BadLine{"VersionANumber", R"({"jsonrpc":2.0,"id":3,"method":"depth"})", invalid_request,
                R"("2.0")", 3},
        BadLine{"NoMethod", R"({"jsonrpc":"2.0","id":"a"})", invalid_request, R"("method")", "a"},
        BadLine{"MethodNull", R"({"jsonrpc":"2.0","id":3,"method":null})", invalid_request,
                "a string", 3},
        BadLine{"NoMethodAndNoId", R"({"jsonrpc":"2.0"})", invalid_request, R"("method")"},
        BadLine{"IdTrue", rpc("depth", "true"), invalid_request, "a string, a number or null"},
        BadLine{"IdAList", rpc("depth", "[1]"), invalid_request, "a string, a number or null"},
        BadLine{"IdAnObject", rpc("depth", "{}"), invalid_request, "a string, a number or null"},
        BadLine{"UnknownMethod", rpc("Depth", "1.5"), not_found, R"("Depth": use one of)", 1.5},
        BadLine{"EmptyMethod", rpc("", "3"), not_found, "use one of depth", 3},
        BadLine{"UnknownWord", "depth?", not_found, R"("depth?": use one of depth, drain)"},
        BadLine{"UnknownMethodOfANotification", R"({"jsonrpc":"2.0","method":"x"})", not_found,
                "use one of", nullptr, true},
        BadLine{"ParamsOfANotification",
                R"({"jsonrpc":"2.0","method":"drain","params":{"max_frames":0}})", invalid_params,
                "from 1 to", nullptr, true},
        BadLine{"ParamsNull", rpc("depth", "3", "null"), invalid_params, "must be an object", 3},
        BadLine{"ParamsByPosition", rpc("drain", "3", "[5]"), invalid_params, "named", 3},
        BadLine{"ParamsWhereThereAreNone", rpc("flush", "3", R"({"satellite_id":1})"),
                invalid_params, "leave out params", 3},
        BadLine{"UnknownParameter", rpc("drain", "3", R"({"max":1})"), invalid_params,
                R"("max": use max_frames, satellite_id, format)", 3},
        BadLine{"NoFrames", rpc("drain", "3", R"({"max_frames":0})"), invalid_params,
                "max_frames must be an integer from 1 to 9223372036854775807", 3},
        BadLine{"TooManyFrames", rpc("drain", "3", R"({"max_frames":9223372036854775808})"),
                invalid_params, "max_frames must be an integer from 1 to", 3},
        BadLine{"NegativeSatellite", rpc("drain", "3", R"({"satellite_id":-1})"), invalid_params,
                "satellite_id must be an integer from 0 to 4294967295", 3},
        BadLine{"SatelliteTooLarge", rpc("drain", "3", R"({"satellite_id":4294967296})"),
                invalid_params, "satellite_id must be an integer from 0 to 4294967295", 3},
        BadLine{"FractionOfFrames", rpc("drain", "3", R"({"max_frames":1.0})"), invalid_params,
                "integer", 3},
        BadLine{"UnknownFormat", rpc("drain", "3", R"({"format":"BINARY"})"), invalid_params,
                R"("json" or "binary")", 3}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ParseRequest, QuotesWhatWasSentShortAndPrintable) {
  const std::string message = refused("re\x1b[2J\xC2\x9B\xFF" + std::string(10'000, 'o')).message;
  EXPECT_THAT(message, HasSubstr(R"("re\u001b[2J\u009b\ufffdoooo)")) << "terminals obey U+009B too";
  EXPECT_THAT(message, Not(HasSubstr("\x1b")));
  EXPECT_LT(message.size(), 250U);
  EXPECT_TRUE(SentJson::accept(encode_error({ErrorCode::method_not_found, message})));
}

class Ids : public testing::TestWithParam<const char*> {};

TEST_P(Ids, ComeBackAsTheyWereSent) {
  const std::string id = GetParam();
  EXPECT_EQ(encode_result(accepted(rpc("depth", id)), {{"frames", 1}}),
            R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"frames":1}})" + "\n");
  EXPECT_THAT(encode_error(refused(rpc("reboot", id))), HasSubstr(R"("id":)" + id + ","));
}

INSTANTIATE_TEST_SUITE_P(OfEachType, Ids,
                         testing::Values("0", "7", "-1", "18446744073709551615",
                                         "-9223372036854775808", "-9223372036854775809",
                                         "18446744073709551616", "123456789012345678901234567890",
                                         "-0", "0.10", "1E+2", "1e-999",
                                         "0.1234567890123456789012345", "1.5", "null", R"("")",
                                         R"("seven")", R"("\" \\ \n")", "\"\xC3\xBC\""));

TEST(EncodeResult, AnswersAPlainWordWithTheResultAlone) {
  EXPECT_EQ(encode_result(accepted("depth"), {{"frames", 1}, {"bytes", 20}}),
            "{\"frames\":1,\"bytes\":20}\n");
}

TEST(EncodeResult, IsOneLineWhateverItHolds) {
  for (const char* line : {"uplinks", R"({"jsonrpc":"2.0","id":"a\nb","method":"uplinks"})"}) {
    const std::string answer = encode_result(accepted(line), {{"peer", "a\nb\xFF"}});
    EXPECT_EQ(std::ranges::count(answer, '\n'), 1);
    EXPECT_TRUE(answer.ends_with('\n'));
    EXPECT_TRUE(SentJson::accept(answer)) << answer;
  }
}

TEST(Envelope, SurroundsAResultWrittenInPieces) {
  const status::Json result = {{"frames", status::Json::array()}, {"remaining", 0}};
  for (const std::string& line : {std::string("drain"), rpc("drain", R"("x")")}) {
    const Request request = accepted(line);
    const Envelope envelope = envelope_for(request);
    EXPECT_EQ(envelope.before + result.dump() + envelope.after, encode_result(request, result));
  }
}

TEST(EncodeError, IsAJsonRpcErrorObject) {
  EXPECT_EQ(encode_error({ErrorCode::shut_down, "the daemon stops: ask \"again\"", SentJson(5)}),
            R"({"jsonrpc":"2.0","id":5,"error":{"code":-32002,)"
            R"("message":"the daemon stops: ask \"again\""}})"
            "\n");
}

TEST(ErrorCode, KeepsToThoseOfTheContract) {
  EXPECT_EQ(static_cast<int>(ErrorCode::parse_error), -32700);
  EXPECT_EQ(static_cast<int>(ErrorCode::invalid_request), -32600);
  EXPECT_EQ(static_cast<int>(ErrorCode::method_not_found), -32601);
  EXPECT_EQ(static_cast<int>(ErrorCode::invalid_params), -32602);
  for (const ErrorCode own :
       {ErrorCode::request_too_long, ErrorCode::too_many_clients, ErrorCode::shut_down}) {
    EXPECT_LE(static_cast<int>(own), -32000);
    EXPECT_GE(static_cast<int>(own), -32099) << "the range that JSON-RPC leaves to servers";
  }
}

}  // namespace
}  // namespace meridian::test
