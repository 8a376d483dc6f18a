/// The documents of the reference, one function for each.
#pragma once

#include <string>

namespace meridian::daemon {

// The configuration.
[[nodiscard]] std::string configuration_markdown();
[[nodiscard]] std::string configuration_man();
[[nodiscard]] std::string configuration_schema();
[[nodiscard]] std::string configuration_file();

// The control socket.
[[nodiscard]] std::string methods_markdown();
[[nodiscard]] std::string methods_man();
[[nodiscard]] std::string methods_openrpc();
[[nodiscard]] std::string errors_man();

// What is counted.
[[nodiscard]] std::string reasons_markdown();
[[nodiscard]] std::string reasons_man();
[[nodiscard]] std::string metrics_markdown();

}  // namespace meridian::daemon
