/// Certificates that last as long as a test.
#pragma once

#include "integration/harness/temp_dir.hpp"

#include <string>

namespace meridian::testing {

/// A certificate that vouches for itself, and its key, as files in PEM.
struct Certificate {
  std::string certificate_file;
  std::string key_file;
};

/// `names` as OpenSSL writes them: "IP:127.0.0.1". `file`: how the files begin.
[[nodiscard]] Certificate make_certificate(const TempDir& directory, const std::string& file,
                                           const std::string& names);

}  // namespace meridian::testing
