/// What becomes of an exception that ends a coroutine.
#pragma once

#include <exception>

namespace meridian::runtime {

/// The completion handler of coroutines that have no exceptions of their own: what comes here is a
/// bug or the end of memory. It is thrown out of the execution context's `run`.
inline void rethrow(const std::exception_ptr& error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace meridian::runtime
