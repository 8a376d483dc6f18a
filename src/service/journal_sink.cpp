#include "service/journal_sink.hpp"

#include "runtime/log.hpp"
#include "runtime/printable.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION  // otherwise each entry would name a line of this file
#include <systemd/sd-journal.h>

namespace meridian::service {

namespace {

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return LOG_CRIT;
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::info:
      return LOG_INFO;
    default:
      return LOG_DEBUG;
  }
}

std::string upper(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::vector<std::string> fields{
        fmt::format("MESSAGE={}",
                    runtime::printable({message.payload.data(), message.payload.size()})),
        fmt::format("PRIORITY={}", priority_of(message.level)), "SYSLOG_IDENTIFIER=meridiand"};
    for (const runtime::log::Field& field : runtime::log::current_fields()) {
      fields.push_back(
          fmt::format("MERIDIAN_{}={}", upper(field.name), runtime::printable(field.value)));
    }
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (std::string& field : fields) {
      parts.push_back({field.data(), field.size()});
    }
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  }
  void flush_() override {}
};

}  // namespace

bool is_journal(int stream) {
  const char* const journal = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  return journal != nullptr && ::fstat(stream, &status) == 0 &&
         journal == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

std::shared_ptr<spdlog::sinks::sink> make_journal_sink() {
  return std::make_shared<JournalSink>();
}

}  // namespace meridian::service
