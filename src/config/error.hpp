/// What is wrong with a configuration.
#pragma once

#include <stdexcept>

namespace meridian::config {

/// A configuration that cannot be used. The message names the key by its path and says what is
/// allowed.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace meridian::config
