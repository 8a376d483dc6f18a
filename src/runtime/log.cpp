#include "runtime/log.hpp"

#include <atomic>

namespace meridian::runtime::log {

namespace {

thread_local std::span<const Field> fields_of_thread;

std::atomic<std::uint64_t> lost{0};

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

void tell_left_out(PeerLines::Clock::time_point now) {
  for (const PeerLines::LeftOut& left_out : PeerLines::of_process().take_left_out(now)) {
    warn({{"reason", "lines_left_out"}}, "{} more lines were left out: {}", left_out.lines,
         left_out.kind);
  }
}

void count_lost(std::uint64_t lines) noexcept {
  lost.fetch_add(lines, std::memory_order_relaxed);
}

std::uint64_t lost_lines() noexcept {
  return lost.load(std::memory_order_relaxed);
}

}  // namespace meridian::runtime::log
