/// The reference: what the program knows about its configuration, its control methods, its metrics
/// and the reasons that it counts, as documents.
///
/// The documents in docs/reference/, the installed configuration and parts of the man pages are
/// written by `scripts/reference`, which asks for each of these forms. A test compares them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace meridian::daemon {

/// A document that can be printed.
struct ReferenceForm {
  std::string_view name;  ///< such as "configuration.md"
  std::string (*text)();
};

[[nodiscard]] std::span<const ReferenceForm> reference_forms();

/// The document of that name. Throws std::invalid_argument, naming all forms, if there is none.
[[nodiscard]] std::string reference(std::string_view form);

}  // namespace meridian::daemon
