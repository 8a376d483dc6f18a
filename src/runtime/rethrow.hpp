/// What happens to an exception that ends a coroutine.
#pragma once

#include <exception>

namespace meridian::runtime {

/// The completion handler of coroutines that are not meant to throw: an exception here is a bug, or
/// memory has run out. It is thrown out of the execution context's `run`.
inline void rethrow(const std::exception_ptr& error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace meridian::runtime
