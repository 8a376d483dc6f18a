#include "aggregator/given_up.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// Whether a run continues where a piece ends, in the same read or the next.
bool continues(const GivenUp::Piece& piece, const Run& run, const ReadStamp& stamp) {
  const std::uint64_t next = (piece.run.first + piece.run.frames) & largest_sequence(stamp.width);
  return stamp.read - piece.read <= 1 && piece.width == stamp.width &&
         piece.run.origin == run.origin && piece.run.stored == run.stored && next == run.first &&
         run.frames <= std::numeric_limits<std::uint32_t>::max() - piece.run.frames;
}

}  // namespace

bool GivenUp::add(const Run& run, const ReadStamp& stamp) {
  const auto found = by_session_.find(stamp.session);
  if (found != by_session_.end() && continues(found->second.back(), run, stamp)) {
    found->second.back().run.frames += run.frames;
    found->second.back().read = stamp.read;
    return true;
  }
  if (pieces_ == max_pieces) {
    return false;
  }
  by_session_[stamp.session].push_back({stamp.read, stamp.width, run});
  ++pieces_;
  return true;
}

std::vector<GivenUp::Piece> GivenUp::take_before(const ReadStamp& next,
                                                 std::optional<SatelliteId> only) {
  const auto found = by_session_.find(next.session);
  if (found == by_session_.end()) {
    return {};
  }
  std::vector<Piece>& pieces = found->second;
  const auto goes = [&](const Piece& piece) {
    return piece.read < next.read && (!only || piece.run.origin.satellite_id == *only);
  };
  std::vector<Piece> before;
  std::ranges::copy_if(pieces, std::back_inserter(before), goes);
  std::erase_if(pieces, goes);
  pieces_ -= before.size();
  if (pieces.empty()) {
    by_session_.erase(found);
  }
  return before;
}

std::vector<GivenUp::Piece> GivenUp::take_session(SessionId session) {
  auto node = by_session_.extract(session);
  if (node.empty()) {
    return {};
  }
  pieces_ -= node.mapped().size();
  return std::move(node.mapped());
}

std::vector<GivenUp::Piece> GivenUp::take_all() {
  std::vector<Piece> all;
  for (auto& [session, pieces] : std::exchange(by_session_, {})) {
    std::ranges::move(pieces, std::back_inserter(all));
  }
  pieces_ = 0;
  return all;
}

}  // namespace meridian::inline v2::aggregator
