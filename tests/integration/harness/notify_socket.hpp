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

/// The socket to which a daemon reports its state, if `variable` is in its environment.
class NotifySocket {
 public:
  explicit NotifySocket(const TempDir& directory);

  /// "NOTIFY_SOCKET=path"
  [[nodiscard]] std::string variable() const { return "NOTIFY_SOCKET=" + path_; }

  using Message = std::map<std::string, std::string>;  // such as READY to 1

  /// The next message, in the order in which they were sent; nothing if none comes in time.
  [[nodiscard]] std::optional<Message> receive(
      std::chrono::milliseconds patience_for_it = patience) const;

  /// The next message with this key, whatever comes before it.
  [[nodiscard]] std::optional<Message> receive_with(const std::string& key) const;

 private:
  std::string path_;
  Descriptor socket_;
};

}  // namespace meridian::test
