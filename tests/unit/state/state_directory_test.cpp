#include "state/state_directory.hpp"

#include "integration/harness/temp_dir.hpp"
#include "state/bodies.hpp"
#include "state/file.hpp"
#include "state/mark.hpp"
#include "unit/state/saved_samples.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::test {

using namespace state;

namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

class StateDirectoryTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return path_ / name; }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  /// A state as a program would write it whose format this one does not know.
  void leave_newer_state() const {
    test::Octets octets =
        encode_mark(MarkKind::version, std::uint64_t{test::sample_nonce} << 32,
                    encode(FormatVersion{.format = format_version + 1, .program = "9.8.7"}));
    const test::Octets known = test::written(test::sample_state());
    test::append(octets, std::span(known).subspan(mark_bytes(known)));
    std::ofstream(file("buffer.saved"), std::ios::binary)
        .write(reinterpret_cast<const char*>(octets.data()),
               static_cast<std::streamsize>(octets.size()));
  }

  /// Changes an octet of a file, counted from its end.
  static void damage(const fs::path& path, std::int64_t from_end) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-from_end, std::ios::end);
    const int octet = file.get();
    file.seekp(-from_end, std::ios::end);
    file.put(static_cast<char>(octet ^ 1));
  }

  test::TempDir parent_;
  fs::path path_ = parent_.path() / "state";
};

TEST_F(StateDirectoryTest, IsMadeForItsOwnerAlone) {
  const StateDirectory directory(path_);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_all);
  EXPECT_FALSE(directory.read().has_value()) << "there is nothing to restore";
}

TEST_F(StateDirectoryTest, GivesBackWhatWasSavedOnce) {
  const SavedState saved = test::sample_state();
  StateDirectory(path_).save(saved);
  EXPECT_THAT(names(), ElementsAre("buffer.saved"));
  EXPECT_EQ(fs::status(file("buffer.saved")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);

  StateDirectory directory(path_);
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_whole);
  EXPECT_EQ(test::frames_in(read->saved), test::frames_in(saved));
  EXPECT_FALSE(directory.forget(*read).has_value());
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(directory.read().has_value());
}

TEST_F(StateDirectoryTest, SetsAsideWhatIsDamagedAndNothingElse) {
  StateDirectory directory(path_);
  directory.save(test::sample_state());
  // The end mark: 20 + 4 + 8 octets.
  damage(file("buffer.saved"), 3);
  const std::string before = test::read_file(file("buffer.saved"));
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_whole);
  EXPECT_EQ(read->frames, 7U);

  const auto aside = directory.forget(*read);
  ASSERT_TRUE(aside.has_value());
  EXPECT_THAT(aside->filename().string(), HasSubstr("buffer.damaged-20"));
  EXPECT_EQ(test::read_file(*aside), before.substr(before.size() - 32));
  EXPECT_THAT(names(), ElementsAre(aside->filename().string()));
}

/// No file can be opened as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(StateDirectoryTest, RefusesAndLeavesAStateItCannotOpen) {
  StateDirectory directory(path_);
  directory.save(test::sample_state());
  const auto read = [&] {
    // No longer than the call: sanitizers need descriptors to look at what was thrown.
    const NoDescriptors none;
    std::ignore = directory.read();
  };
  EXPECT_THAT(read, ThrowsMessage<std::runtime_error>(AllOf(
                        HasSubstr(file("buffer.saved").string()), HasSubstr("Too many open files"),
                        HasSubstr("state.when_unreadable"))));
  EXPECT_THAT(names(), ElementsAre("buffer.saved"));
  EXPECT_TRUE(directory.read()->is_whole);
}

TEST_F(StateDirectoryTest, SetsAsideAnUnreadableStateIfConfigured) {
  StateDirectory directory(path_, WhenUnreadable::set_aside);
  directory.save(test::sample_state());
  const std::string before = test::read_file(file("buffer.saved"));
  std::optional<Restored> read;
  {
    const NoDescriptors none;
    read = directory.read();
  }
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->frames, 0U);
  EXPECT_EQ(read->why_unreadable, "Too many open files");
  const auto aside = directory.forget(*read);
  ASSERT_TRUE(aside.has_value());
  EXPECT_EQ(test::read_file(*aside), before);
}

TEST_F(StateDirectoryTest, RefusesAndLeavesAStateOfNewerFormat) {
  const StateDirectory directory(path_);
  leave_newer_state();
  const std::string before = test::read_file(file("buffer.saved"));
  EXPECT_THAT([&] { std::ignore = directory.read(); },
              ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr(file("buffer.saved").string()),
                        HasSubstr(fmt::format("format {}", format_version + 1)), HasSubstr("9.8.7"),
                        HasSubstr(fmt::format("up to {}", format_version)))));
  EXPECT_THAT(names(), ElementsAre("buffer.saved"));
  EXPECT_EQ(test::read_file(file("buffer.saved")), before);
}

TEST_F(StateDirectoryTest, SetsAsideNewerFormatsUnreadIfConfigured) {
  StateDirectory directory(path_, WhenUnreadable::set_aside);
  leave_newer_state();
  const std::string before = test::read_file(file("buffer.saved"));
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->frames, 0U) << "what it does not know could be anything";
  const auto aside = directory.forget(*read);
  ASSERT_TRUE(aside.has_value());
  EXPECT_EQ(test::read_file(*aside), before);
}

TEST(StateFile, ReportsErrorsOfOpeningAndReading) {
  EXPECT_EQ(File("/no such file", O_RDONLY).error(), std::errc::no_such_file_or_directory);
  const File memory("/proc/self/mem", O_RDONLY);  // of which the first page is nobody's
  ASSERT_TRUE(memory.is_open());
  std::array<std::byte, 8> octets{};
  const ReadResult read = memory.read(0, octets);
  EXPECT_EQ(read.bytes, 0U);
  EXPECT_EQ(read.error, std::errc::io_error);
}

TEST_F(StateDirectoryTest, SetsAsideUnderANameThatIsFree) {
  StateDirectory directory(path_);
  for (int time = 0; time < 3; ++time) {
    directory.save(test::sample_state());
    damage(file("buffer.saved"), 3);
    const auto read = directory.read();
    ASSERT_TRUE(read && directory.forget(*read));
  }
  EXPECT_EQ(names().size(), 3U);
}

TEST_F(StateDirectoryTest, RestoresWhatAnInterruptedStopWrote) {
  StateDirectory directory(path_);
  directory.save(test::sample_state());
  fs::rename(file("buffer.saved"), file("buffer.saving"));
  fs::resize_file(file("buffer.saving"), fs::file_size(file("buffer.saving")) - 40);
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_whole);
  EXPECT_EQ(read->frames, 6U);
  EXPECT_TRUE(directory.forget(*read).has_value());
  EXPECT_FALSE(fs::exists(file("buffer.saving")));
}

TEST_F(StateDirectoryTest, BelongsToOneDaemonAtATime) {
  std::optional<StateDirectory> first(std::in_place, path_);
  EXPECT_THAT([this] { const StateDirectory second(path_); },
              ThrowsMessage<std::runtime_error>(HasSubstr("is held by a running daemon")));
  first.reset();
  EXPECT_NO_THROW(const StateDirectory next(path_));
}

TEST_F(StateDirectoryTest, IsRefusedWhereThereIsNoDirectory) {
  const std::string place = parent_.write("file", "");
  EXPECT_THAT([&] { const StateDirectory directory(place); },
              ThrowsMessage<std::runtime_error>(
                  testing::AllOf(HasSubstr("state.directory"), HasSubstr(place))));
}

TEST_F(StateDirectoryTest, SetsADirectoryAsideWhole) {
  StateDirectory directory(path_);
  fs::create_directory(file("buffer.saved"));
  auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_whole);
  EXPECT_EQ(read->frames, 0U);
  const auto aside = directory.forget(*read);
  ASSERT_TRUE(aside.has_value());
  EXPECT_TRUE(fs::is_directory(*aside));
  EXPECT_FALSE(directory.read().has_value());
}

TEST_F(StateDirectoryTest, DoesNotWaitOnAPipe) {
  StateDirectory directory(path_);
  ASSERT_EQ(::mkfifo(file("buffer.saved").c_str(), 0600), 0);
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  ASSERT_TRUE(directory.forget(*read).has_value());
  EXPECT_FALSE(directory.read().has_value());
}

TEST_F(StateDirectoryTest, ClearsThePlaceOfTheNextState) {
  StateDirectory directory(path_);
  directory.save(test::sample_state());
  fs::create_directory(file("buffer.saving"));
  const auto read = directory.read();
  ASSERT_TRUE(read && read->is_whole);
  EXPECT_FALSE(directory.forget(*read).has_value());
  EXPECT_NO_THROW(directory.save(test::sample_state()));
}

TEST_F(StateDirectoryTest, FollowsNoLinkOutOfTheDirectory) {
  StateDirectory directory(path_);
  const std::string elsewhere = parent_.write("elsewhere", "not ours");
  fs::create_symlink(elsewhere, file("buffer.saved"));
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->frames, 0U);
  ASSERT_TRUE(directory.forget(*read).has_value());
  EXPECT_EQ(test::read_file(elsewhere), "not ours");
  EXPECT_FALSE(directory.read().has_value());
}

}  // namespace
}  // namespace meridian::test
