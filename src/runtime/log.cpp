#include "runtime/log.hpp"

namespace meridian::runtime::log {

namespace {

thread_local std::span<const Field> fields_of_thread;

}  // namespace

std::span<const Field> current_fields() noexcept {
  return fields_of_thread;
}

FieldScope::FieldScope(std::span<const Field> fields) noexcept {
  fields_of_thread = fields;
}

FieldScope::~FieldScope() {
  fields_of_thread = {};
}

}  // namespace meridian::runtime::log
