#include "runtime/faults.hpp"

#include "runtime/log.hpp"

#include <optional>

namespace meridian::runtime {

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

Faults& Faults::of_process() {
  static Faults faults;
  return faults;
}

void Faults::note(FaultOf kind, std::string_view whose, const std::exception_ptr& error) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  counts_.at(index).fetch_add(1, std::memory_order_relaxed);
  try {
    std::optional<std::uint64_t> held_back;
    {
      const std::lock_guard lock(mutex_);
      held_back = limits_.at(index).admit(LogLimit::Clock::now());
    }
    if (held_back) {
      log::error({{"reason", "fault"}},
                 "{} had an internal error: {} ({} more since the last message); report it, "
                 "unless memory has run out",
                 whose, describe(error), *held_back);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): it is counted; there may be no memory to log it
  }
}

Faults::Counts Faults::counts() const noexcept {
  Counts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts.at(i) = counts_.at(i).load(std::memory_order_relaxed);
  }
  return counts;
}

}  // namespace meridian::runtime
