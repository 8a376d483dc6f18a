#include "runtime/process_limits.hpp"

#include <sys/resource.h>

namespace meridian::runtime {

void raise_open_files_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);  // where it fails the old limit stays
  }
}

}  // namespace meridian::runtime
