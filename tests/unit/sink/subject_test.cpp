#include "sink/jetstream/subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace meridian::test {

using namespace sink;
using namespace sink::jetstream;

namespace {

using testing::HasSubstr;

struct GoodSubject {
  std::string text;
  std::string expanded;  // for satellite 7, channel 3
  std::string filter;
};

class Templates : public testing::TestWithParam<GoodSubject> {};

TEST_P(Templates, ExpandAndHaveAFilterThatCoversThem) {
  const auto read = SubjectTemplate::read(GetParam().text);
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(read->expand({7, 3}), GetParam().expanded);
  EXPECT_EQ(read->filter(), GetParam().filter);
  EXPECT_TRUE(covers(read->filter(), read->expand({4'294'967'295, 65'535})));
}

INSTANTIATE_TEST_SUITE_P(Each, Templates,
                         testing::Values(GoodSubject{"meridian.{satellite_id}.{channel_id}",
                                                     "meridian.7.3", "meridian.*.*"},
                                         GoodSubject{"{channel_id}.{satellite_id}", "3.7", "*.*"},
                                         GoodSubject{"tm.sat-{satellite_id}-{channel_id}.raw",
                                                     "tm.sat-7-3.raw", "tm.*.raw"},
                                         GoodSubject{"{satellite_id}{satellite_id}", "77", "*"},
                                         GoodSubject{"everything", "everything", "everything"},
                                         GoodSubject{"a$.b", "a$.b", "a$.b"}));

struct BadSubject {
  std::string text;
  std::string complaint;
};

class BadTemplates : public testing::TestWithParam<BadSubject> {};

TEST_P(BadTemplates, AreRefusedWithAReason) {
  const auto read = SubjectTemplate::read(GetParam().text);
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error(), HasSubstr(GetParam().complaint));
  EXPECT_THROW(static_cast<void>(read_subject(GetParam().text)), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadTemplates,
    testing::Values(BadSubject{"", "empty"}, BadSubject{".a", "empty token"},
                    BadSubject{"a.", "empty token"}, BadSubject{"a..b", "empty token"},
                    BadSubject{"a.*", "wildcard"}, BadSubject{"a.>", "wildcard"},
                    BadSubject{"a b", "blank"}, BadSubject{"a\tb", "control"},
                    BadSubject{"$JS.a", "begin with $"}, BadSubject{"a.{satellite}", "brace"},
                    BadSubject{"a.{satellite_id", "brace"}, BadSubject{"a.satellite_id}", "brace"},
                    BadSubject{"a.{}", "brace"},
                    BadSubject{std::string(256, 'a'), "longer than 255"}));

TEST(Template, TellsOriginsApartIfNumbersAreSeparated) {
  for (const char* text : {"m.{satellite_id}.{channel_id}", "{channel_id}-{satellite_id}",
                           "{satellite_id}c{channel_id}x{satellite_id}"}) {
    EXPECT_TRUE(read_subject(text).tells_origins_apart()) << text;
  }
  for (const char* text : {"m.{satellite_id}", "m.{channel_id}", "m",
                           "m.{satellite_id}{channel_id}", "m.{satellite_id}0{channel_id}"}) {
    EXPECT_FALSE(read_subject(text).tells_origins_apart()) << text;
  }
}

TEST(Template, MayBeAsLongAsTheLimit) {
  EXPECT_TRUE(SubjectTemplate::read(std::string(max_subject_bytes, 'a')).has_value());
}

struct Cover {
  std::string pattern;
  std::string filter;
  bool covered;
};

class Covers : public testing::TestWithParam<Cover> {};

TEST_P(Covers, TokenByToken) {
  EXPECT_EQ(covers(GetParam().pattern, GetParam().filter), GetParam().covered)
      << GetParam().pattern << " and " << GetParam().filter;
}

INSTANTIATE_TEST_SUITE_P(Each, Covers,
                         testing::Values(Cover{"a.*.*", "a.*.*", true}, Cover{"a.>", "a.*.*", true},
                                         Cover{">", "a.*.*", true}, Cover{"*.*.*", "a.*.*", true},
                                         Cover{"a.1.*", "a.*.*", false},
                                         Cover{"a.*", "a.*.*", false},
                                         Cover{"a.*.*.*", "a.*.*", false},
                                         Cover{"b.>", "a.*.*", false}, Cover{"a.*.>", "a.*", false},
                                         Cover{"a.*", "a.>", false}, Cover{"a.>", "a.>", true},
                                         Cover{"a", "a", true}, Cover{"a", "ab", false}));

}  // namespace
}  // namespace meridian::test
