#include "status/origin_pages.hpp"

#include <algorithm>
#include <utility>

namespace meridian::status {

OriginPages::OriginPages(AggregatorHandle aggregator, std::size_t places_per_page,
                         std::size_t most_places)
    : walk_(std::make_shared<Walk>(Walk{.aggregator = std::move(aggregator),
                                        .places_per_page = places_per_page,
                                        .most_places = most_places})) {}

asio::awaitable<boost::system::result<OriginPage>> OriginPages::next() {
  return next_of(walk_);
}

asio::awaitable<boost::system::result<OriginPage>> OriginPages::next_of(
    std::shared_ptr<Walk> walk) {
  const std::size_t count = std::min(walk->most_places - walk->place, walk->places_per_page);
  auto page = co_await walk->aggregator.origin_page(walk->place, count);
  if (page) {
    walk->place = page->at_end ? walk->most_places : page->next;
  }
  co_return page;
}

}  // namespace meridian::status
