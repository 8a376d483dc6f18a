#include "status/process_figures.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace meridian::status {

namespace {

namespace fs = std::filesystem;

// Fields of /proc/self/stat after the name of the program: indices from `state` on, which is number
// 3 in proc(5).
constexpr std::size_t first_field = 3;
constexpr std::size_t utime = 14 - first_field;
constexpr std::size_t stime = 15 - first_field;
constexpr std::size_t num_threads = 20 - first_field;
constexpr std::size_t starttime = 22 - first_field;
constexpr std::size_t vsize = 23 - first_field;
constexpr std::size_t rss = 24 - first_field;

std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  // The name of the program may hold anything; the last parenthesis ends it.
  std::istringstream rest(text.substr(text.find_last_of(')') + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double seconds_of(clockid_t clock) {
  constexpr double nanoseconds_per_second = 1e9;
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / nanoseconds_per_second;
}

/// In seconds since 1970. Every call returns the same, even if somebody sets the clock. Does not
/// need /proc/stat, which may be hidden from a service.
double start_of_process(double after_boot_s) {
  static const double start =
      seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) + after_boot_s;
  return start;
}

std::uint64_t open_descriptors() {
  std::error_code ignored;
  const fs::directory_iterator descriptors("/proc/self/fd", ignored);
  return static_cast<std::uint64_t>(std::distance(begin(descriptors), end(descriptors)));
}

}  // namespace

std::optional<ProcessFigures> process_figures() {
  const std::vector<std::string> fields = stat_fields();
  if (fields.size() <= rss) {
    return std::nullopt;
  }
  const auto number = [&](std::size_t field) { return std::stoull(fields[field]); };
  const auto ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  return ProcessFigures{
      .cpu_s = static_cast<double>(number(utime) + number(stime)) / ticks_per_s,
      .resident_bytes = number(rss) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)),
      .virtual_bytes = number(vsize),
      .open_descriptors = open_descriptors(),
      .max_descriptors = descriptors.rlim_cur,
      .threads = number(num_threads),
      .started_at_s = start_of_process(static_cast<double>(number(starttime)) / ticks_per_s)};
}

}  // namespace meridian::status
