#include "daemon/reference/reference.hpp"

#include "daemon/reference/forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace meridian::daemon {

namespace {

constexpr std::array forms{
    ReferenceForm{"configuration.md", configuration_markdown},
    ReferenceForm{"configuration.man", configuration_man},
    ReferenceForm{"configuration.schema.json", configuration_schema},
    ReferenceForm{"meridiand.json", configuration_file},
    ReferenceForm{"control-methods.md", methods_markdown},
    ReferenceForm{"control-methods.man", methods_man},
    ReferenceForm{"control-errors.man", errors_man},
    ReferenceForm{"control.openrpc.json", methods_openrpc},
    ReferenceForm{"metrics.md", metrics_markdown},
    ReferenceForm{"reasons.md", reasons_markdown},
    ReferenceForm{"reasons.man", reasons_man},
};

}  // namespace

std::span<const ReferenceForm> reference_forms() {
  return forms;
}

std::string reference(std::string_view form) {
  const auto* const found = std::ranges::find(forms, form, &ReferenceForm::name);
  if (found == forms.end()) {
    std::string names;
    for (const ReferenceForm& each : forms) {
      names += (names.empty() ? "" : ", ") + std::string(each.name);
    }
    throw std::invalid_argument(fmt::format("must be one of {}, is \"{}\"", names, form));
  }
  return found->text();
}

}  // namespace meridian::daemon
