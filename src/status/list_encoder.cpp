#include "status/list_encoder.hpp"

#include <algorithm>

namespace meridian::status {

namespace {

void append_row(std::string& out, bool& first, const Json& row) {
  out += first ? "" : ",";
  out += dump(row);
  first = false;
}

/// A list that is short enough for one piece.
template <typename Rows>
std::string list(const Rows& rows) {
  std::string out = "[";
  bool first = true;
  for (const auto& row : rows) {
    append_row(out, first, to_json(row));
  }
  return out + "]";
}

}  // namespace

std::string SatellitesEncoder::page(const std::vector<OriginStats>& origins) {
  std::string out;
  for (const OriginStats& origin : origins) {
    append_row(out, first_, to_json(origin, *silent_));
  }
  return out;
}

bool UplinksEncoder::next(std::string& out) {
  out.clear();
  if (ended_) {
    return false;
  }
  if (next_ == 0) {
    out += R"({"uplinks":[)";
  }
  const std::size_t end = std::min(uplinks_.open.size(), next_ + rows_per_piece);
  for (bool first = next_ == 0; next_ < end; ++next_) {
    append_row(out, first, to_json(*uplinks_.open[next_]));
  }
  ended_ = next_ == uplinks_.open.size();
  if (ended_) {
    out += R"(],"closed":)" + list(uplinks_.closed) + R"(,"listeners":)" +
           list(uplinks_.listeners) + "}";
  }
  return true;
}

}  // namespace meridian::status
