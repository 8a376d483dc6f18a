/// A service manager's side of sd_notify(3).
#pragma once

#include "integration/harness/deadlines.hpp"
#include "integration/harness/descriptor.hpp"
#include "integration/harness/temp_dir.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace meridian::test {

/// A socket to which the daemon reports its state if `variable()` is in its environment.
class NotifySocket {
 public:
  explicit NotifySocket(const TempDir& directory);

  /// "NOTIFY_SOCKET=path"
  [[nodiscard]] std::string variable() const { return "NOTIFY_SOCKET=" + path_; }

  using Message = std::map<std::string, std::string>;  // value by name: "1" for "READY"

  /// The next message, in the order in which the daemon sent them. No value if none comes in time.
  [[nodiscard]] std::optional<Message> receive(
      std::chrono::milliseconds patience_for_it = patience) const;

  /// The next message with this key. Skips all messages before it.
  [[nodiscard]] std::optional<Message> receive_with(const std::string& key) const;

 private:
  std::string path_;
  Descriptor socket_;
};

}  // namespace meridian::test
