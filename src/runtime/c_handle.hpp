/// Owners for objects that a C library hands out.
#pragma once

#include <memory>

namespace meridian::runtime {

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* object) const noexcept {
    destroy(object);
  }
};

/// Owns one object. `destroy` is the library's function that destroys it.
template <typename T, auto destroy>
using CHandle = std::unique_ptr<T, Destroy<destroy>>;

}  // namespace meridian::runtime
