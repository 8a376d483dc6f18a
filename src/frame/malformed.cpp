#include <meridian/malformed.hpp>

namespace meridian::inline v1 {

std::string_view name_of(Malformed reason) noexcept {
  switch (reason) {
    case Malformed::length_too_small:
      return "length_too_small";
    case Malformed::length_too_large:
      return "length_too_large";
    case Malformed::reserved_flags:
      return "reserved_flags";
    case Malformed::packet_version:
      return "packet_version";
    case Malformed::packet_too_large:
      return "packet_too_large";
    case Malformed::sync_marker:
      return "sync_marker";
  }
  return "unknown";
}

}  // namespace meridian::inline v1
