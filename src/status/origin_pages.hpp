/// Reads the list of origins page by page.
#pragma once

#include <meridian/aggregator.hpp>
#include <meridian/origins.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <limits>
#include <memory>

namespace meridian::status {

namespace asio = boost::asio;

/// Walks through the places of the aggregator's list of origins, from the first one on. Each page
/// is a request of its own, so that no request takes the aggregator long. What
/// `AggregatorHandle::origin_page` says about changes of the list holds here, too.
///
///     OriginPages pages(aggregator, rows_per_piece);
///     while (!pages.at_end()) {
///       const auto page = co_await pages.next();
///       …
///     }
///
/// Not thread-safe: one call at a time.
class OriginPages {
 public:
  /// A page covers at most `places_per_page` places, and all pages together at most `most_places`.
  explicit OriginPages(AggregatorHandle aggregator, std::size_t places_per_page,
                       std::size_t most_places = std::numeric_limits<std::size_t>::max());

  /// Whether there is no next page.
  [[nodiscard]] bool at_end() const noexcept { return walk_->place >= walk_->most_places; }

  /// The next page. Must not be called at the end. Fails as `AggregatorHandle::origin_page` does;
  /// the caller may then call it again, for the same page. A call may outlive this object, so the
  /// caller may stop waiting for it (see `within`). It must not call `next` again after that.
  [[nodiscard]] asio::awaitable<boost::system::result<OriginPage>> next();

 private:
  /// How far the walk has come. A call that was given up still refers to it.
  struct Walk {
    AggregatorHandle aggregator;
    std::size_t places_per_page = 0;
    std::size_t most_places = 0;
    std::size_t place = 0;  // at which the next page begins; `most_places` at the end
  };

  [[nodiscard]] static asio::awaitable<boost::system::result<OriginPage>> next_of(
      std::shared_ptr<Walk> walk);

  std::shared_ptr<Walk> walk_;
};

}  // namespace meridian::status
