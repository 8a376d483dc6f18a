#include "integration/harness/ordinary_user.hpp"

#include <string>

#include <unistd.h>

namespace meridian::test {

std::optional<ChildProcess::Arguments> as_ordinary_user(const std::string& program) {
  if (::geteuid() != 0) {
    return ChildProcess::Arguments{};
  }
  const std::string id = std::to_string(nobody);
  const ChildProcess::Arguments prefix = {"setpriv", "--reuid", id,
                                          "--regid", id,        "--clear-groups"};
  ChildProcess::Arguments probe = prefix;
  probe.insert(probe.end(), {program, "--version"});
  return run(probe).status == 0 ? std::optional(prefix) : std::nullopt;
}

}  // namespace meridian::test
