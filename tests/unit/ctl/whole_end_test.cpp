#include "ctl/whole_end.hpp"

#include "integration/harness/frames.hpp"
#include "integration/harness/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace meridian::test {

using namespace ctl;

namespace {

using testing::AllOf;
using testing::HasSubstr;

/// What is said against appending to a file with that content; "" where nothing is. Names it.
std::string said_against(const std::string& content, FrameFormat format,
                         runtime::WhenThere when_there = runtime::WhenThere::append) {
  const TempDir directory;
  const std::string file = directory.write("frames", content);
  std::string said;
  try {
    require_whole_end(file, when_there, format);
  } catch (const std::runtime_error& error) {
    said = error.what();
    EXPECT_THAT(said, HasSubstr("cannot append to " + file));
  }
  EXPECT_EQ(read_file(file), content) << "it is left as it is";
  return said;
}

TEST(WholeEnd, IsThatOfALine) {
  EXPECT_EQ(said_against("", FrameFormat::ndjson), "");
  EXPECT_EQ(said_against("{}\n{}\n", FrameFormat::ndjson), "");
  EXPECT_THAT(said_against("{}\n{}\n{\"pay", FrameFormat::ndjson),
              AllOf(HasSubstr("in the middle of a line"), HasSubstr("truncate -s 6 ")));
  EXPECT_THAT(said_against("{\"pay", FrameFormat::ndjson),
              AllOf(HasSubstr("holds 5 bytes and no whole line"), HasSubstr("--force")));
  const std::string long_line(1'000'000, 'a');
  EXPECT_THAT(said_against("{}\n" + long_line, FrameFormat::ndjson), HasSubstr("truncate -s 3 "));
  EXPECT_EQ(said_against(long_line + "\n", FrameFormat::ndjson), "");
}

TEST(WholeEnd, IsThatOfAFrame) {
  const std::string whole = encode(frames_of(42, 0, 100, 1'500));
  EXPECT_EQ(said_against("", FrameFormat::binary), "");
  EXPECT_EQ(said_against(whole, FrameFormat::binary), "");
  const std::string torn = encode(frames_of(42, 100, 1, 1'500));
  for (const std::size_t octets : {1U, 4U, 12U, 19U, 20U, 1'519U}) {
    EXPECT_THAT(said_against(whole + torn.substr(0, octets), FrameFormat::binary),
                AllOf(HasSubstr("in the middle of a frame"),
                      HasSubstr("truncate -s " + std::to_string(whole.size()) + " ")))
        << octets;
  }
  EXPECT_THAT(said_against(torn.substr(0, 500), FrameFormat::binary),
              AllOf(HasSubstr("holds 500 bytes and no whole frame"), HasSubstr("--force")));
}

TEST(WholeEnd, IsNotSoughtInOtherData) {
  const std::string whole = encode(frames_of(42, 0, 3));
  EXPECT_THAT(said_against(whole + std::string(8, '\0'), FrameFormat::binary),
              HasSubstr("at byte " + std::to_string(whole.size())));
  EXPECT_THAT(said_against("{\"satellite_id\":42}\n", FrameFormat::binary),
              HasSubstr("other than a native frame at byte 0"));
}

TEST(WholeEnd, MattersOnlyWhereSomethingIsAppended) {
  EXPECT_EQ(said_against("{", FrameFormat::ndjson, runtime::WhenThere::replace), "");
  EXPECT_EQ(said_against("a note", FrameFormat::table), "");
  EXPECT_NO_THROW(require_whole_end("/dev/null", runtime::WhenThere::append, FrameFormat::binary));
  EXPECT_NO_THROW(require_whole_end("", runtime::WhenThere::append, FrameFormat::binary));
}

}  // namespace
}  // namespace meridian::test
