#include "frame/run_builder.hpp"

#include <algorithm>

namespace meridian::inline v2::frame {

void RunBuilder::add_elsewhere(Origin origin, std::uint64_t sequence, std::size_t bytes,
                               bool stored) {
  const std::size_t oldest_open = runs_.size() - std::min(runs_.size(), open_runs);
  for (std::size_t i = runs_.size(); i-- > oldest_open;) {
    if (runs_[i].origin != origin) {
      continue;
    }
    if (!continues(runs_[i], origin, sequence, stored)) {
      break;  // frames that come later must not go into an older run of this origin
    }
    extend(runs_[i], bytes);
    last_ = i;
    return;
  }
  last_ = runs_.size();
  runs_.push_back(
      {.origin = origin, .frames = 1, .first = sequence, .bytes = bytes, .stored = stored});
}

}  // namespace meridian::inline v2::frame
