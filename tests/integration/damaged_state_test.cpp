// A saved state that is not as the last daemon left it: everything that can be read comes back, the
// rest is set aside and counted, and the daemon starts.
#include "integration/harness/ordinary_user.hpp"
#include "integration/harness/saved_state.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include <signal.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class DamagedState : public StateTest {
 protected:
  /// Stops the daemon and returns what it has saved.
  std::string save() {
    stop();
    return read_file(saved());
  }

  /// Starts a daemon on a damaged file and checks what it makes of it: of `whole`, in which
  /// `saved_frames` stand.
  void check(const std::string& whole, const std::string& damaged, std::size_t saved_frames) {
    const Remains expected = remains_of(whole, damaged);
    leave(damaged);
    start();
    const Json stats = daemon().call("stats");
    const Json& state_report = stats.at("state");
    const std::uint64_t missing =
        expected.has_ledger ? saved_frames - expected.frames.size() : 0;  // else nobody knows
    EXPECT_EQ(state_report.at("restored"), expected.frames.size());
    EXPECT_EQ(state_report.at("not_restored"), missing);
    EXPECT_EQ(state_report.at("damaged_bytes"), expected.lost.size());
    EXPECT_TRUE(balanced(stats));
    EXPECT_EQ(stats.at("ledger").at("received"), expected.frames.size() + missing);
    EXPECT_EQ(stats.at("ledger").at("dropped").at("not_restored"), missing);
    EXPECT_TRUE(daemon().connect().drain_all() == expected.frames);
    check_set_aside(state_report.at("set_aside"), expected.lost);
    if (damaged != whole) {
      EXPECT_TRUE(
          daemon().logged(fmt::format("error the saved state in {} is damaged: {} frames "
                                      "are missing, {} bytes could not be read",
                                      state().string(), missing, expected.lost.size())));
    }
    stop();
  }

  void check_set_aside(const Json& file, const std::string& lost) {
    if (lost.empty()) {
      EXPECT_EQ(file, nullptr);
      EXPECT_THAT(files(), testing::IsEmpty());
      return;
    }
    ASSERT_TRUE(file.is_string());
    const std::filesystem::path aside = file.get<std::string>();
    EXPECT_THAT(files(), testing::ElementsAre(aside.filename()));
    EXPECT_THAT(aside.filename().string(),
                testing::MatchesRegex("buffer\\.damaged-[0-9]+T[0-9]+Z"));
    EXPECT_TRUE(read_file(aside) == lost);
    EXPECT_TRUE(daemon().logged(aside.string()));
    std::filesystem::remove(aside);
  }

  /// Runs a daemon that is not started as usual until it is ready, and returns its log.
  std::string run_until_ready(test::ChildProcess::Arguments command,
                              Json state_section = Json::object()) {
    state_section["directory"] = state().string();
    const Json config = test::config_in(directory(), {{"state", state_section}});
    command.insert(command.end(),
                   {test::meridiand, "--config", directory().write("c.json", config.dump())});
    test::ChildProcess process(command);
    EXPECT_TRUE(eventually([&] { return process.err().find("info ready") != std::string::npos; }))
        << process.err();
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), 0);
    return process.err();
  }
  /// What was set aside under its own name, after `run_until_ready`.
  std::filesystem::path set_aside() {
    std::filesystem::remove(saved());  // which that daemon has left
    const std::vector<std::string> names = files();
    EXPECT_EQ(names.size(), 1U);
    return state() / (names.empty() ? "" : names.front());
  }
};

/// One of several tests that share the octets of a file among them, since there are many.
class CutState : public DamagedState, public testing::WithParamInterface<std::size_t> {};
constexpr std::size_t shares = 4;

TEST_P(CutState, HasAllFramesBeforeTheCut) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 2, 5));
  send_whole(daemon().port(), frames_of(2, 0, 1, 0));
  send_whole(daemon().port("packets"), encode(SpacePacket{.apid = 3, .count = 7}) +
                                           encode(SpacePacket{.apid = 3, .count = 8}));
  const std::string whole = save();
  ASSERT_EQ(remains_of(whole, whole).frames.size(), 5U);
  // Sanitized programs take their time to start: then some of the octets must do.
  const std::size_t stride = shares * (test::slowdown == 1 ? 1 : 7);
  for (std::size_t size = GetParam(); size <= whole.size(); size += stride) {
    SCOPED_TRACE(fmt::format("cut at octet {} of {}", size, whole.size()));
    ASSERT_NO_FATAL_FAILURE(check(whole, whole.substr(0, size), 5));
    ASSERT_FALSE(HasFailure());
  }
}

INSTANTIATE_TEST_SUITE_P(Shares, CutState, testing::Range(std::size_t{0}, shares));

/// Changes some bits, in one mark at least every other time: they are few among the frames.
std::string with_flipped_bits(std::string file, const std::vector<SavedRecord>& records,
                              std::mt19937& random) {
  const auto below = [&random](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  const auto flip = [&](std::size_t at) {
    file[at] = static_cast<char>(file[at] ^ (1 << below(8)));
  };
  if (below(2) == 0) {
    std::vector<SavedRecord> marks;
    std::ranges::copy_if(records, std::back_inserter(marks), [](const SavedRecord& record) {
      return record.kind != SavedRecord::Kind::frame;
    });
    const SavedRecord& mark = marks[below(marks.size())];
    flip(mark.begin + below(mark.end - mark.begin));
  }
  for (std::size_t flips = 1 + below(5); flips > 0; --flips) {
    flip(below(file.size()));
  }
  return file;
}

TEST_F(DamagedState, FlippedBitsLoseOnlyWhatTheyHit) {
  constexpr std::size_t count = 20'000;
  start();
  for (std::uint32_t id = 1; id <= 4; ++id) {
    send_whole(daemon().port(), frames_of(id, 0, count / 4, 20 * id));
  }
  const std::string whole = save();
  const std::vector<SavedRecord> records = test::records_of(whole);
  std::mt19937 random(20261124);
  for (std::uint64_t trial = 0; trial < 5 + test::scaled(50); ++trial) {
    SCOPED_TRACE(fmt::format("trial {}", trial));
    ASSERT_NO_FATAL_FAILURE(check(whole, with_flipped_bits(whole, records, random), count));
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(DamagedState, EmptyFileIsNoReasonNotToStart) {
  check(/*whole=*/"", /*damaged=*/"", 0);
  EXPECT_TRUE(daemon().logged("there was nothing to set aside"));
}

TEST_F(DamagedState, FileOfSomethingElseIsSetAside) {
  std::mt19937 random(1);
  std::string garbage(300'000, '\0');
  std::ranges::generate(garbage, [&random] { return static_cast<char>(random()); });
  leave(garbage);
  start();
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("state").at("restored"), 0);
  EXPECT_EQ(stats.at("state").at("damaged_bytes"), garbage.size());
  EXPECT_EQ(stats.at("ledger").at("received"), 0);
  check_set_aside(stats.at("state").at("set_aside"), garbage);
  send_whole(daemon().port(), frames_of(1, 0, 10));
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
}

TEST_F(DamagedState, EachDamagedFileIsKept) {
  for (const char* octets : {"first", "second", "third"}) {
    leave(octets);
    start();
    stop();
    std::filesystem::remove(saved());  // what this one has saved, which is nothing
  }
  std::vector<std::string> kept;
  for (const std::string& name : files()) {
    kept.push_back(read_file(state() / name));
  }
  EXPECT_THAT(kept, testing::UnorderedElementsAre("first", "second", "third"));
}

TEST_F(DamagedState, LostCountersBeginAgainWithTheFrames) {
  start();
  std::string packets;
  for (const int packet : {16382, 16383, 0, 4}) {
    packets += encode(SpacePacket{.apid = 3, .count = static_cast<std::uint16_t>(packet)});
  }
  send_whole(daemon().port("packets"), packets);
  std::string file = save();
  for (const SavedRecord& record : test::records_of(file)) {
    if (record.kind == SavedRecord::Kind::origins) {
      file[record.end - 1] ^= 1;
    }
  }
  leave(file);
  start();
  send_whole(daemon().port("packets"), encode(SpacePacket{.apid = 3, .count = 5}));
  const Json entry = satellite(daemon().call("satellites"), 7, 3);
  EXPECT_EQ(entry.at("frames"), 5);
  EXPECT_EQ(entry.at("gaps"), 1);
  EXPECT_EQ(entry.at("missing"), 3) << "1, 2 and 3, counted in 14 bits";
  EXPECT_EQ(entry.at("last_sequence"), 5);
}

TEST_F(DamagedState, InterruptedSaveIsUsedIfItIsAlone) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  const std::string whole = save();
  // As when the system goes down while the file is written.
  std::ignore = directory().write("state/buffer.saving", whole.substr(0, whole.size() - 1000));
  std::filesystem::remove(saved());
  start();
  const std::size_t frames = daemon().connect().drain_all().size();
  EXPECT_GT(frames, 50U);
  EXPECT_EQ(daemon().stat("/state/not_restored"), 100 - frames);
  EXPECT_FALSE(std::filesystem::exists(state() / "buffer.saving"));
}

TEST_F(DamagedState, WriteThatFailsKeepsWhatWasWrittenBefore) {
  constexpr std::size_t count = 20'000;
  constexpr std::size_t room = 300'000;
  start();
  send_whole(daemon().port(), frames_of(1, 0, count));
  daemon().process().limit_file_size(room);
  EXPECT_EQ(daemon().stop(), 1) << daemon().log();
  EXPECT_TRUE(daemon().logged("critical state.directory: cannot write all of " + saved().string()));
  EXPECT_TRUE(daemon().logged(fmt::format("of the {} frames in the buffer", count)));
  EXPECT_THAT(test::lines_of(daemon().log()).back(),
              testing::AllOf(HasSubstr(fmt::format("stopped: {} frames", count)),
                             HasSubstr("remained and could not all be saved; of ")));

  const std::string file = read_file(saved());
  EXPECT_EQ(file.size(), room);
  start();
  const Json stats = daemon().call("stats");
  const std::size_t frames = stats.at("state").at("restored").get<std::size_t>();
  EXPECT_GT(frames, 0U);
  EXPECT_LT(file.size() - frames * 28, 28 + 100'000U) << "no whole frame is missing";
  EXPECT_EQ(stats.at("ledger").at("received"), count);
  EXPECT_EQ(stats.at("ledger").at("dropped").at("not_restored"), count - frames);
  EXPECT_TRUE(balanced(stats));
  EXPECT_TRUE(daemon().connect().drain_all() == frames_of(1, 0, frames));
}

TEST_F(DamagedState, DirectoryInItsPlaceIsSetAsideWhole) {
  std::filesystem::create_directories(saved());
  std::ignore = directory().write("state/buffer.saved/file", "precious");
  start();
  EXPECT_TRUE(daemon().logged("error the saved state in "));
  const std::filesystem::path aside =
      daemon().call("stats")["state"]["set_aside"].get<std::string>();
  EXPECT_THAT(files(), testing::ElementsAre(aside.filename()));
  EXPECT_EQ(read_file(aside / "file"), "precious");
}

TEST_F(DamagedState, LinkInItsPlaceIsNotFollowed) {
  const std::string target = directory().write("elsewhere", "precious");
  std::filesystem::create_directory(state());
  std::filesystem::create_symlink(target, saved());
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  stop();
  EXPECT_EQ(read_file(target), "precious");
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(saved())));
}

/// A state that an ordinary user has and may not read.
class UnreadableState : public DamagedState {
 protected:
  void SetUp() override {
    leave("precious");
    std::filesystem::permissions(saved(), std::filesystem::perms::none);
    const auto ordinary_user = test::as_ordinary_user(test::meridiand);
    if (!ordinary_user) {
      GTEST_SKIP() << "an ordinary user cannot run " << test::meridiand;
    }
    as_ordinary_user_ = *ordinary_user;
    if (::geteuid() == 0) {  // to whom everything is open
      std::filesystem::permissions(directory().path(), std::filesystem::perms(0777));
      for (const std::filesystem::path& path : {state(), saved()}) {
        ASSERT_EQ(::chown(path.c_str(), test::nobody, test::nobody), 0);
      }
    }
  }

  test::ChildProcess::Arguments as_ordinary_user_;
};

TEST_F(UnreadableState, IsLeftAloneAndNoDaemonStarts) {
  test::ChildProcess::Arguments command = as_ordinary_user_;
  const Json config = test::config_in(directory(), {{"state", {{"directory", state().string()}}}});
  command.insert(command.end(),
                 {test::meridiand, "--config", directory().write("c.json", config.dump())});
  const test::Finished refused = test::run(command);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("cannot read " + saved().string() + ": Permission denied"));
  EXPECT_THAT(refused.err, HasSubstr("state.when_unreadable"));
  EXPECT_THAT(refused.err, testing::Not(HasSubstr("info ready")));
  EXPECT_THAT(files(), testing::ElementsAre("buffer.saved"));
  std::filesystem::permissions(saved(), std::filesystem::perms::owner_read);
  EXPECT_EQ(read_file(saved()), "precious");
}

TEST_F(UnreadableState, IsSetAsideWholeIfConfigured) {
  const std::string log = run_until_ready(as_ordinary_user_, {{"when_unreadable", "set_aside"}});
  EXPECT_THAT(log, HasSubstr("cannot be read: Permission denied"));
  EXPECT_THAT(log, HasSubstr("8 bytes could not be read"));
  const std::filesystem::path aside = set_aside();
  std::filesystem::permissions(aside, std::filesystem::perms::owner_read);
  EXPECT_EQ(read_file(aside), "precious");
}

TEST_F(DamagedState, IsMovedAsideWithoutSpaceForACopy) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 5000));
  std::string file = save();
  file.insert(1000, std::string(200'000, 'x'));
  leave(file);
  // No file may get longer than 51,200 octets.
  const std::string log =
      run_until_ready({"sh", "-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""});
  EXPECT_THAT(log, HasSubstr("bytes could not be read"));
  const std::string aside = read_file(set_aside());
  ASSERT_EQ(aside.size(), file.size());
  EXPECT_TRUE(aside.substr(1000, 200'000) == file.substr(1000, 200'000)) << "what is damaged";
  constexpr std::size_t intact = 32;  // octets of the mark at the end
  EXPECT_TRUE(aside.substr(aside.size() - intact) == std::string(intact, '\0'));
}

}  // namespace
}  // namespace meridian::test
