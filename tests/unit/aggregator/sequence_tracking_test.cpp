// What is known of sequences once streams have gone through decoder, batches and accounts, against
// the contract frame by frame: however the stream is divided, and whatever is restored between.
#include "aggregator/accounts.hpp"
#include "unit/aggregator/sequence_model.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/decoder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

/// Live or stored frames of an origin.
using Counter = std::pair<Origin, bool>;

/// Sources whose counters run on, skip, repeat, go back and begin anew, mixed with each other.
class MixedStream {
 public:
  MixedStream(SequenceWidth width, std::uint64_t seed)
      : width_(width), mask_(largest_sequence(width)), random_(seed) {}

  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  FrameHeader next() {
    if (left_ == 0) {
      left_ = 1 + up_to(up_to(3) == 0 ? 40 : 3);
      counter_ = {
          {.satellite_id =
               width_ == SequenceWidth::bits14 ? satellite : static_cast<SatelliteId>(up_to(2)),
           .channel_id = static_cast<ChannelId>(up_to(3))},
          width_ == SequenceWidth::bits64 && up_to(2) == 0};
    }
    --left_;
    std::uint64_t& at = next_[counter_];
    switch (up_to(30)) {
      case 0:
        at += up_to(5);
        break;
      case 1:
        at -= up_to(5);
        break;
      case 2:
        at += up_to(mask_);
        break;
      default:
        break;
    }
    at &= mask_;
    const FrameHeader header{.origin = counter_.first, .sequence = at, .stored = counter_.second};
    at = (at + 1) & mask_;
    return header;
  }

  static constexpr SatelliteId satellite = 5;

 private:
  SequenceWidth width_;
  std::uint64_t mask_;
  std::mt19937_64 random_;
  std::map<Counter, std::uint64_t> next_;
  Counter counter_{};
  std::uint64_t left_ = 0;  // frames before another counter has its turn
};

Octets encode(const FrameHeader& header, SequenceWidth width) {
  return width == SequenceWidth::bits64
             ? test::native_frame(header, test::sample_payload(header.sequence % 3))
             : test::space_packet(header.origin.channel_id,
                                  static_cast<std::uint16_t>(header.sequence), 3);
}

void expect_counts(const SequenceStats& seen, const FrameByFrame& model, const std::string& where) {
  EXPECT_EQ(seen.last_sequence, model.last) << where;
  EXPECT_EQ(seen.gaps, model.gaps) << where;
  EXPECT_EQ(seen.missing, model.missing) << where;
  EXPECT_EQ(seen.duplicates, model.duplicates) << where;
  EXPECT_EQ(seen.late, model.late) << where;
  EXPECT_EQ(seen.jumps, model.jumps) << where;
  EXPECT_EQ(seen.resets, model.resets) << where;
}

/// The row of an origin has all frames, and the stored ones apart.
void expect_row(const OriginStats& row, const std::map<Counter, FrameByFrame>& models) {
  const auto live = models.find({*row.origin, false});
  const auto stored = models.find({*row.origin, true});
  const std::string where = "satellite " + std::to_string(row.origin->satellite_id) + ", channel " +
                            std::to_string(row.origin->channel_id);
  ASSERT_EQ(row.stored.has_value(), stored != models.end()) << where;
  FrameByFrame all(SequenceWidth::bits64);
  for (const auto& model : {live, stored}) {
    if (model != models.end()) {
      all.gaps += model->second.gaps;
      all.missing += std::min(model->second.missing, ~std::uint64_t{0} - all.missing);
      all.duplicates += model->second.duplicates;
      all.late += model->second.late;
      all.jumps += model->second.jumps;
      all.resets += model->second.resets;
      all.last = all.last ? all.last : model->second.last;
    }
  }
  SequenceStats sums;
  sums.gaps = row.gaps;
  sums.missing = row.missing;
  sums.duplicates = row.duplicates;
  sums.late = row.late;
  sums.jumps = row.jumps;
  sums.resets = row.resets;
  sums.last_sequence = row.last_sequence;
  expect_counts(sums, all, where);
  if (row.stored) {
    expect_counts(row.stored->sequences, stored->second, where + ", stored");
  }
}

class SequenceTracking : public testing::TestWithParam<SequenceWidth> {};

TEST_P(SequenceTracking, FollowsTheContractHoweverTheStreamIsDivided) {
  const SequenceWidth width = GetParam();
  const Framing framing =
      width == SequenceWidth::bits64 ? Framing::length_prefixed : Framing::ccsds_space_packet;
  std::uint64_t resets = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    MixedStream source(width, seed);
    const auto decoder = make_decoder({.framing = framing, .satellite_id = MixedStream::satellite});
    std::map<Counter, FrameByFrame> models;
    Accounts accounts(100);
    OriginTotals before;
    Octets stream;
    for (int read = 0; read < 60; ++read) {
      for (std::uint64_t frames = source.up_to(source.up_to(9) == 0 ? 300 : 12); frames > 0;
           --frames) {
        const FrameHeader header = source.next();
        test::append(stream, encode(header, width));
        models.try_emplace({header.origin, header.stored}, width)
            .first->second.observe(header.sequence);
      }
      // A piece of the stream, and in the end all of it.
      const std::size_t bytes = read == 59 ? stream.size() : source.up_to(stream.size());
      const ReadStamp stamp{.session = 1, .read = 1, .width = width};
      const Decoded found = decoder->decode(test::in_slab(std::span(stream).first(bytes)), stamp);
      ASSERT_FALSE(found.malformed.has_value());
      stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(found.consumed));
      if (found.batch && source.up_to(1) == 0) {
        accounts.received(*found.batch);
      } else if (found.batch) {
        accounts.given_up(*found.batch, Accounts::Judge::later);
        accounts.caught_up();
      }
      const OriginTotals& totals = accounts.origins().totals();
      EXPECT_GE(totals.late, before.late) << "a counter has fallen";
      EXPECT_GE(totals.jumps, before.jumps) << "a counter has fallen";
      before = totals;
      if (source.up_to(4) == 0) {
        SavedState saved;
        saved.origins = accounts.origins().all();
        accounts = Accounts(100);
        accounts.restore(saved);
        EXPECT_EQ(accounts.origins().totals().late, before.late);
        EXPECT_EQ(accounts.origins().totals().resets, before.resets);
      }
    }
    std::size_t rows = 0;
    for (const OriginStats& row : accounts.origins().all()) {
      expect_row(row, models);
      rows += row.stored && row.stored->frames < row.frames ? 2 : 1;
      resets += row.resets;
    }
    EXPECT_EQ(rows, models.size());
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(resets, 100U) << "the streams have too few of them to be a test";
}

INSTANTIATE_TEST_SUITE_P(Each, SequenceTracking,
                         testing::Values(SequenceWidth::bits14, SequenceWidth::bits64),
                         [](const auto& each) {
                           return each.param == SequenceWidth::bits14 ? std::string("Bits14")
                                                                      : std::string("Bits64");
                         });

TEST(StoredFrames, AreTrackedApartFromLiveOnes) {
  Accounts accounts(100);
  const std::vector<FrameHeader> headers{
      test::header(1, 2, 1000),      test::header(1, 2, 10, true), test::header(1, 2, 1001),
      test::header(1, 2, 11, true),  test::header(1, 2, 13, true), test::header(1, 2, 1002),
      test::header(1, 2, 1002, true)};
  accounts.received(test::batch_of(headers));
  const OriginStats row = accounts.origins().all().at(0);
  EXPECT_EQ(row.frames, 7U);
  EXPECT_EQ(row.last_sequence, 1002U) << "that of the live ones";
  EXPECT_EQ(row.late, 0U);
  EXPECT_EQ(row.duplicates, 0U);
  ASSERT_TRUE(row.stored.has_value());
  EXPECT_EQ(row.stored->frames, 4U);
  EXPECT_EQ(row.stored->sequences.gaps, 2U);
  EXPECT_EQ(row.stored->sequences.missing, 989U);
  EXPECT_EQ(row.stored->sequences.last_sequence, 1002U);
  EXPECT_EQ(row.gaps, 2U) << "all gaps of the origin";
}

TEST(StoredFrames, SetTheLastSequenceWithoutLiveOnes) {
  Accounts accounts(100);
  accounts.received(test::batch_of(std::vector{test::header(1, 2, 10, true)}));
  EXPECT_EQ(accounts.origins().all().at(0).last_sequence, 10U);
  SavedState saved;
  saved.origins = accounts.origins().all();
  Accounts restored(100);
  restored.restore(saved);
  restored.received(test::batch_of(std::vector{test::header(1, 2, 3)}));
  const OriginStats row = restored.origins().all().at(0);
  EXPECT_EQ(row.late, 0U) << "the first live one is late to nothing";
  EXPECT_EQ(row.last_sequence, 3U);
}

TEST(StoredFrames, AreTrackedApartInGivenUpBatches) {
  Accounts accounts(100);
  const auto give_up = [&](std::uint64_t read, std::uint64_t sequence, bool stored) {
    const std::vector headers{test::header(1, 2, sequence, stored)};
    accounts.given_up(test::batch_of(headers, 0, {.session = 1, .read = read}),
                      Accounts::Judge::later);
  };
  give_up(1, 9, false);
  give_up(2, 10, true);
  give_up(3, 11, false);
  accounts.caught_up();
  const OriginStats row = accounts.origins().all().at(0);
  EXPECT_EQ(row.last_sequence, 11U);
  EXPECT_EQ(row.missing, 1U);
  EXPECT_EQ(row.stored.value().sequences.last_sequence, 10U);
}

TEST(OriginSums, HaveStoredFramesAndWhatIsNotSettled) {
  Accounts accounts(2);
  for (SatelliteId satellite = 1; satellite <= 3; ++satellite) {
    const std::vector headers{test::header(satellite, 0, 100), test::header(satellite, 0, 7),
                              test::header(satellite, 0, 50, true)};
    accounts.received(test::batch_of(headers));
  }
  const OriginStats sum = accounts.origins().sum(0, 10).stats;
  EXPECT_EQ(sum.late, 2U) << "the third satellite has no row";
  EXPECT_EQ(sum.unsettled.late, 2U);
  EXPECT_EQ(sum.stored.value().frames, 3U);
  EXPECT_EQ(accounts.origins().totals().late, 0U) << "a reset may take it back";
}

}  // namespace
}  // namespace meridian::test
