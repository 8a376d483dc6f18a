#include "sink/jetstream/type.hpp"
#include "sink/type.hpp"

#include <array>

namespace meridian::sink {

std::span<const Type* const> types() noexcept {
  static constexpr std::array all{&jetstream::type};
  return all;
}

}  // namespace meridian::sink
