/// Certificates that last as long as a test.
#pragma once

#include "integration/harness/temp_dir.hpp"

#include <string>

namespace meridian::test {

/// A self-signed certificate and its key, as files in PEM.
struct Certificate {
  std::string certificate_file;
  std::string key_file;
};

/// Makes a certificate for `names`, in OpenSSL's notation: "IP:127.0.0.1". The names of the files
/// begin with `file`.
[[nodiscard]] Certificate make_certificate(const TempDir& directory, const std::string& file,
                                           const std::string& names);

}  // namespace meridian::test
