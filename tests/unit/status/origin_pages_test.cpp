#include "status/origin_pages.hpp"

#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <future>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace status;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// An aggregator on one thread, which runs when a test calls.
class OriginPagesTest : public testing::Test {
 protected:
  template <typename T>
  T ask(asio::awaitable<T> question) {
    std::future<T> answer = asio::co_spawn(context_, std::move(question), asio::use_future);
    run_what_is_ready();
    return answer.get();
  }
  void run_what_is_ready() {
    context_.restart();
    context_.poll();
  }

  /// Satellites 0, 1, … with a channel each.
  void hear(SatelliteId satellites) {
    std::vector<FrameHeader> headers;
    for (SatelliteId satellite = 0; satellite < satellites; ++satellite) {
      headers.push_back(header(satellite, 1, 0));
    }
    ASSERT_EQ(ask(aggregator_.send(batch_of(headers))), error_code());
  }

  /// The satellites of the next page.
  std::vector<SatelliteId> next_of(OriginPages& pages) {
    const auto page = ask(pages.next());
    std::vector<SatelliteId> satellites;
    for (const OriginStats& row : page.value().rows) {
      satellites.push_back(row.origin.value().satellite_id);
    }
    return satellites;
  }

  asio::io_context context_;
  AggregatorHandle aggregator_ = spawn_aggregator(context_.get_executor(), AggregatorOptions());
};

TEST_F(OriginPagesTest, HaveEveryOriginOnce) {
  hear(5);
  OriginPages pages(aggregator_, 2);
  EXPECT_THAT(next_of(pages), ElementsAre(0, 1));
  EXPECT_THAT(next_of(pages), ElementsAre(2, 3));
  EXPECT_FALSE(pages.at_end());
  EXPECT_THAT(next_of(pages), ElementsAre(4));
  EXPECT_TRUE(pages.at_end());
}

TEST_F(OriginPagesTest, OfAnEmptyListAreOneWithoutRows) {
  OriginPages pages(aggregator_, 2);
  EXPECT_FALSE(pages.at_end());
  EXPECT_THAT(next_of(pages), IsEmpty());
  EXPECT_TRUE(pages.at_end());
}

TEST_F(OriginPagesTest, CoverNoMorePlacesThanTheyMay) {
  hear(5);
  OriginPages some(aggregator_, 2, 3);
  EXPECT_THAT(next_of(some), ElementsAre(0, 1));
  EXPECT_THAT(next_of(some), ElementsAre(2));
  EXPECT_TRUE(some.at_end());
  const OriginPages none(aggregator_, 2, 0);
  EXPECT_TRUE(none.at_end());
}

TEST_F(OriginPagesTest, FailAsTheAggregatorDoes) {
  hear(1);
  OriginPages pages(aggregator_, 2);
  ASSERT_TRUE(ask(aggregator_.shut_down()).has_value());
  EXPECT_EQ(ask(pages.next()).error(), Errc::aggregator_shut_down);
  EXPECT_FALSE(pages.at_end());
}

TEST_F(OriginPagesTest, MayGoAwayBeforeTheAnswerComes) {
  hear(3);
  std::optional<OriginPages> pages(std::in_place, aggregator_, 2);
  auto page = asio::co_spawn(context_, pages->next(), asio::use_future);
  pages.reset();
  run_what_is_ready();
  EXPECT_EQ(page.get().value().rows.size(), 2U);
}

}  // namespace
}  // namespace meridian::test
