#include "state/state_directory.hpp"

#include "integration/harness/temp_dir.hpp"
#include "unit/state/saved_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace meridian::state {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

class StateDirectoryTest : public ::testing::Test {
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

  /// Changes an octet of a file, counted from its end.
  static void damage(const fs::path& path, std::int64_t from_end) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-from_end, std::ios::end);
    const int octet = file.get();
    file.seekp(-from_end, std::ios::end);
    file.put(static_cast<char>(octet ^ 1));
  }

  testing::TempDir parent_;
  fs::path path_ = parent_.path() / "state";
};

TEST_F(StateDirectoryTest, IsMadeForItsOwnerAlone) {
  const StateDirectory directory(path_);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_all);
  EXPECT_FALSE(directory.read().has_value()) << "there is nothing to restore";
}

TEST_F(StateDirectoryTest, GivesBackWhatWasSavedOnce) {
  const SavedState saved = testing::sample_state();
  StateDirectory(path_).save(saved);
  EXPECT_THAT(names(), ElementsAre("buffer.saved"));
  EXPECT_EQ(fs::status(file("buffer.saved")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);

  StateDirectory directory(path_);
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_whole);
  EXPECT_EQ(testing::frames_in(read->saved), testing::frames_in(saved));
  EXPECT_FALSE(directory.forget(*read).has_value());
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(directory.read().has_value());
}

TEST_F(StateDirectoryTest, SetsAsideWhatIsDamagedAndNothingElse) {
  StateDirectory directory(path_);
  directory.save(testing::sample_state());
  // The end mark: 20 + 4 + 8 octets.
  damage(file("buffer.saved"), 3);
  const std::string before = testing::read_file(file("buffer.saved"));
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_whole);
  EXPECT_EQ(read->frames, 7U);

  const auto aside = directory.forget(*read);
  ASSERT_TRUE(aside.has_value());
  EXPECT_THAT(aside->filename().string(), HasSubstr("buffer.damaged-20"));
  EXPECT_EQ(testing::read_file(*aside), before.substr(before.size() - 32));
  EXPECT_THAT(names(), ElementsAre(aside->filename().string()));
}

TEST_F(StateDirectoryTest, SetsAsideUnderANameThatIsFree) {
  StateDirectory directory(path_);
  for (int time = 0; time < 3; ++time) {
    directory.save(testing::sample_state());
    damage(file("buffer.saved"), 3);
    const auto read = directory.read();
    ASSERT_TRUE(read && directory.forget(*read));
  }
  EXPECT_EQ(names().size(), 3U);
}

TEST_F(StateDirectoryTest, RestoresWhatAStopThatWasCutShortHasWritten) {
  StateDirectory directory(path_);
  directory.save(testing::sample_state());
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
                  ::testing::AllOf(HasSubstr("state.directory"), HasSubstr(place))));
}

TEST_F(StateDirectoryTest, SetsAsideWhatIsNoFileAsAWhole) {
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

TEST_F(StateDirectoryTest, WaitsForNobodyAtTheOtherEndOfAPipe) {
  StateDirectory directory(path_);
  ASSERT_EQ(::mkfifo(file("buffer.saved").c_str(), 0600), 0);
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  ASSERT_TRUE(directory.forget(*read).has_value());
  EXPECT_FALSE(directory.read().has_value());
}

TEST_F(StateDirectoryTest, SetsAsideWhatIsInThePlaceOfTheNextState) {
  StateDirectory directory(path_);
  directory.save(testing::sample_state());
  fs::create_directory(file("buffer.saving"));
  const auto read = directory.read();
  ASSERT_TRUE(read && read->is_whole);
  EXPECT_FALSE(directory.forget(*read).has_value());
  EXPECT_NO_THROW(directory.save(testing::sample_state()));
}

TEST_F(StateDirectoryTest, FollowsNoLinkOutOfTheDirectory) {
  StateDirectory directory(path_);
  const std::string elsewhere = parent_.write("elsewhere", "not ours");
  fs::create_symlink(elsewhere, file("buffer.saved"));
  const auto read = directory.read();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->frames, 0U);
  ASSERT_TRUE(directory.forget(*read).has_value());
  EXPECT_EQ(testing::read_file(elsewhere), "not ours");
  EXPECT_FALSE(directory.read().has_value());
}

}  // namespace
}  // namespace meridian::state
