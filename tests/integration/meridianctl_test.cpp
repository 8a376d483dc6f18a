// meridianctl, as an operator or a script runs it.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

class Meridianctl : public DaemonTest {
 protected:
  Finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {test::meridianctl, "--socket", daemon().socket()});
    return test::run(arguments);
  }
  std::uint64_t depth() { return daemon().call("depth").at("frames").get<std::uint64_t>(); }
};

TEST_F(Meridianctl, TellsPeopleWhatTheyAskFor) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 1234, 80));
  EXPECT_THAT(ctl({"depth"}).out, AllOf(HasSubstr("1,234 frames"), HasSubstr("123,400 bytes")));
  EXPECT_THAT(ctl({"stats"}).out, AllOf(ContainsRegex("received +1,234"), HasSubstr("balanced"),
                                        HasSubstr("end_of_stream 1")));
  EXPECT_THAT(ctl({"uplinks"}).out,
              AllOf(HasSubstr("native"), HasSubstr(std::to_string(daemon().port())),
                    HasSubstr("closed: end_of_stream"), HasSubstr("1,234")));
  EXPECT_THAT(ctl({"satellites"}).out,
              AllOf(HasSubstr("SATELLITE"), ContainsRegex("42 +0 +1,234")));
  EXPECT_THAT(ctl({"version"}).out, StartsWith("meridiand "));
  EXPECT_THAT(ctl({"flush"}).out, HasSubstr("1,234 frames"));
  EXPECT_EQ(depth(), 0U);
}

TEST_F(Meridianctl, SaysSoWhereThereIsNothing) {
  start();
  EXPECT_EQ(ctl({"drain"}).out, "");
  EXPECT_THAT(ctl({"satellites"}).out, HasSubstr("no satellites"));
  EXPECT_THAT(ctl({"uplinks"}).out, HasSubstr("no uplinks"));
  EXPECT_THAT(ctl({"sinks"}).out, HasSubstr("no sinks"));
}

TEST_F(Meridianctl, JsonIsTheDaemonsAnswer) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 5));
  for (const char* method : {"depth", "uplinks", "satellites", "sinks", "version"}) {
    const Finished finished = ctl({"--json", method});
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.err, "");
    EXPECT_EQ(lines_of(finished.out).size(), 1U);
    EXPECT_EQ(Json::parse(finished.out), daemon().call(method));
  }
  const Json stats = Json::parse(ctl({"stats", "--json"}).out);
  EXPECT_EQ(stats.at("ledger"), daemon().call("stats").at("ledger"));
  EXPECT_EQ(Json::parse(ctl({"flush", "--json"}).out), (Json{{"discarded", 5}}));
}

TEST_F(Meridianctl, DrainsToATable) {
  start();
  send_whole(
      daemon().port(),
      {NativeFrame{
          .satellite_id = 42, .channel_id = 3, .flags = 1, .sequence = 99, .payload = "four"}});
  const Finished finished = ctl({"drain"});
  EXPECT_EQ(finished.status, 0);
  const std::vector<std::string> lines = lines_of(finished.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0],
              ContainsRegex("SATELLITE +CHANNEL +SEQUENCE +STORED +RECEIVED AT +PAYLOAD"));
  EXPECT_THAT(lines[1], ContainsRegex("42 +3 +99 +yes +20[0-9-]+T[0-9:.]+Z +4$"));
  EXPECT_THAT(finished.err, HasSubstr("drained 1 frames"));
}

TEST_F(Meridianctl, DrainsToLinesOfJson) {
  start();
  const std::vector<NativeFrame> frames = frames_of(42, 0, 20);
  send_whole(daemon().port(), frames);
  for (const Finished& finished :
       {ctl({"drain", "--max", "10", "--format", "ndjson"}), ctl({"drain", "--json"})}) {
    EXPECT_EQ(finished.status, 0);
    const std::vector<std::string> lines = lines_of(finished.out);
    EXPECT_EQ(lines.size(), 10U);
    for (const std::string& line : lines) {
      const Json frame = Json::parse(line);
      const auto sequence = frame.at("sequence").get<std::size_t>();
      EXPECT_EQ(test::decode_base64(frame.at("payload").get<std::string>()),
                frames.at(sequence).payload);
      EXPECT_EQ(frame.at("satellite_id"), 42);
      EXPECT_EQ(frame.at("channel_id"), 0);
      EXPECT_EQ(frame.at("stored"), false);
      EXPECT_TRUE(frame.at("received_at").is_string());
    }
  }
}

TEST_F(Meridianctl, DrainsOctetsAsTheyCame) {
  start();
  const std::vector<NativeFrame> frames = frames_of(42, 0, 300, 50);
  send_whole(daemon().port(), frames);
  const Finished finished = ctl({"drain", "--format", "binary"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, encode(frames));
  EXPECT_THAT(finished.err, HasSubstr("drained 300 frames"));
}

TEST_F(Meridianctl, DrainsAsManyAsItIsTold) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 25'000));
  EXPECT_THAT(ctl({"drain"}).err, HasSubstr("drained 1000 frames"));
  EXPECT_EQ(depth(), 24'000U);
  EXPECT_THAT(ctl({"drain", "--max", "7"}).err, HasSubstr("drained 7 frames"));
  EXPECT_EQ(depth(), 23'993U);
  // More than it asks for at once.
  EXPECT_THAT(ctl({"drain", "--max", "12345"}).err, HasSubstr("drained 12345 frames"));
  EXPECT_EQ(depth(), 11'648U);
  const Finished all = ctl({"drain", "--all", "--format", "ndjson"});
  EXPECT_EQ(lines_of(all.out).size(), 11'648U);
  EXPECT_EQ(depth(), 0U);
}

TEST_F(Meridianctl, DrainsOneSatellite) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  send_whole(daemon().port(), frames_of(2, 0, 10));
  EXPECT_EQ(ctl({"drain", "--satellite", "2", "--format", "binary"}).out,
            encode(frames_of(2, 0, 10)));
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 10));
}

TEST_F(Meridianctl, WritesToAFile) {
  start();
  const std::vector<NativeFrame> frames = frames_of(42, 0, 10);
  send_whole(daemon().port(), frames);
  const std::string file = directory().file("frames");
  const Finished finished = ctl({"drain", "--all", "--format", "binary", "--output", file});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(read_file(file), encode(frames));
}

TEST_F(Meridianctl, LeavesAFileThatHoldsSomethingAlone) {
  start();
  const std::string file = directory().write("frames", "the only copy");
  for (const std::uint64_t frames : {0U, 10U}) {  // also where it would have nothing to write
    send_whole(daemon().port(), frames_of(42, 0, frames));
    for (const char* command : {"drain", "tail"}) {
      const Finished finished = ctl({command, "--max", "5", "--output", file});
      EXPECT_EQ(finished.status, 1) << command;
      EXPECT_THAT(finished.err, AllOf(HasSubstr(file), HasSubstr("holds 13 bytes"),
                                      HasSubstr("--append"), HasSubstr("--force")));
      EXPECT_EQ(read_file(file), "the only copy");
      EXPECT_EQ(depth(), frames);
    }
  }
  EXPECT_NE(ctl({"drain", "--output", file, "--append", "--force"}).status, 0);
  EXPECT_NE(ctl({"drain", "--force"}).status, 0) << "of what?";
  EXPECT_EQ(depth(), 10U);
}

TEST_F(Meridianctl, AppendsToOrReplacesAFileOnRequest) {
  start();
  const std::vector<NativeFrame> frames = frames_of(42, 0, 30);
  send_whole(daemon().port(), frames);
  const std::string file = directory().write("frames", "");  // holds nothing
  const auto drain_ten = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"drain", "--max", "10", "--format", "binary", "--output", file});
    return ctl(more).status;
  };
  const std::string octets = encode(frames);
  EXPECT_EQ(drain_ten({}), 0);
  EXPECT_EQ(drain_ten({"--append"}), 0);
  EXPECT_EQ(read_file(file), octets.substr(0, octets.size() / 3 * 2));
  EXPECT_EQ(drain_ten({"--force"}), 0);
  EXPECT_EQ(read_file(file), octets.substr(octets.size() / 3 * 2));
  EXPECT_EQ(drain_ten({"--append"}), 0) << "nothing is left";
  EXPECT_EQ(read_file(file), octets.substr(octets.size() / 3 * 2));
}

TEST_F(Meridianctl, LeasesWhatItDrainsByDefault) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 3000));
  const auto committed = [this] { return daemon().stat("/leases/ended/committed"); };
  EXPECT_EQ(ctl({"drain", "--max", "500", "--no-lease"}).status, 0);
  EXPECT_EQ(committed(), 0U);
  EXPECT_EQ(ctl({"drain", "--max", "500"}).status, 0);
  EXPECT_EQ(committed(), 1U);
  EXPECT_EQ(ctl({"drain", "--max", "500", "--lease-s", "5"}).status, 0);
  EXPECT_EQ(ctl({"drain", "--max", "500", "--lease"}).status, 0);
  EXPECT_EQ(committed(), 3U);
  EXPECT_EQ(depth(), 1000U);
  EXPECT_NE(ctl({"drain", "--no-lease", "--lease-s", "5"}).status, 0);
  EXPECT_NE(ctl({"drain", "--no-lease", "--lease"}).status, 0);
  EXPECT_EQ(depth(), 1000U);
}

TEST_F(Meridianctl, RemovesAnUnfinishedPartFromTheFile) {
  start();
  const std::vector<NativeFrame> frames = frames_of(42, 0, 1000, 100);
  send_whole(daemon().port(), frames);
  const std::string file = directory().file("frames");
  ASSERT_EQ(ctl({"drain", "--max", "10", "--format", "binary", "--output", file}).status, 0);
  // No file may get longer than 51,200 octets.
  const Finished finished = test::run(
      {"sh", "-c", "ulimit -f 100; exec \"$0\" \"$@\"", test::meridianctl, "--socket",
       daemon().socket(), "drain", "--all", "--format", "binary", "--append", "--output", file});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("cannot write to " + file));
  EXPECT_EQ(read_file(file), encode(frames_of(42, 0, 10, 100)));
  ASSERT_TRUE(test::eventually([this] { return depth() == 990; }));
  ASSERT_EQ(ctl({"drain", "--all", "--format", "binary", "--append", "--output", file}).status, 0);
  EXPECT_EQ(read_file(file), encode(frames)) << "each once, and whole";
}

TEST_F(Meridianctl, DrainsNothingWhereItCannotWrite) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 10));
  const std::string file = directory().file("missing/frames");
  const Finished finished = ctl({"drain", "--output", file});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr(file));
  EXPECT_EQ(depth(), 10U);
}

TEST_F(Meridianctl, OutputThatIsFullIsAFailure) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 10));
  const auto to_full_device = [this](const std::string& command) {
    return test::run({"sh", "-c", R"("$0" --socket "$1" )" + command + " > /dev/full",
                      test::meridianctl, daemon().socket()});
  };
  for (const char* command : {"depth", "--json stats", "drain --format ndjson"}) {
    const Finished finished = to_full_device(command);
    EXPECT_EQ(finished.status, 1) << command;
    EXPECT_THAT(finished.err, HasSubstr("cannot write to standard output")) << command;
  }
}

TEST_F(Meridianctl, WrongArgumentsDrainNothing) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 10));
  const std::vector<std::vector<std::string>> wrong = {{"drain", "--max", "5", "--all"},
                                                       {"drain", "--max", "0"},
                                                       {"drain", "--max", "many"},
                                                       {"drain", "--format", "xml"},
                                                       {"drain", "--satellite", "4294967296"},
                                                       {"drain", "everything"},
                                                       {"undrain"},
                                                       {}};
  for (const std::vector<std::string>& arguments : wrong) {
    const Finished finished = ctl(arguments);
    EXPECT_NE(finished.status, 0);
    EXPECT_NE(finished.err, "");
    EXPECT_EQ(finished.out, "");
  }
  EXPECT_EQ(depth(), 10U);
}

TEST_F(Meridianctl, FindsTheSocketInTheEnvironment) {
  start();
  const std::string variable = "MERIDIAN_SOCKET=" + daemon().socket();
  EXPECT_EQ(test::run({test::meridianctl, "depth"}, {variable}).status, 0);
  const std::string missing = "MERIDIAN_SOCKET=" + directory().file("missing.sock");
  const Finished option_wins =
      test::run({test::meridianctl, "--socket", daemon().socket(), "depth"}, {missing});
  EXPECT_EQ(option_wins.status, 0) << option_wins.err;
}

TEST(MeridianctlAlone, FailsClearlyWhereNoDaemonRuns) {
  const TempDir directory;
  for (const std::string& socket :
       {directory.file("missing.sock"), directory.file(std::string(200, 's'))}) {
    for (const char* command : {"depth", "drain", "stats", "flush"}) {
      const Finished finished = test::run({test::meridianctl, "--socket", socket, command});
      EXPECT_EQ(finished.status, 1);
      EXPECT_EQ(finished.out, "");
      EXPECT_THAT(finished.err, AllOf(StartsWith("meridianctl: "), HasSubstr(socket),
                                      HasSubstr("is meridiand running?")));
      EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
    }
  }
}

TEST(MeridianctlAlone, FailsClearlyWhereNobodyListensAnyMore) {
  const TempDir directory;
  const Finished finished =
      test::run({test::meridianctl, "depth"},
                {"MERIDIAN_SOCKET=" + directory.write("control.sock", "no socket")});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("is meridiand running?"));
}

}  // namespace
}  // namespace meridian::test
