/// Writes log messages as journal entries.
#pragma once

#include <spdlog/sinks/sink.h>

#include <memory>

namespace meridian::service {

/// Whether the journal gets what is written to `stream`, such as STDERR_FILENO. If so, the log can
/// send entries there with all of their fields.
[[nodiscard]] bool is_journal(int stream);

/// A sink of spdlog. Its entries have MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, and for each field of a
/// log line (`runtime::log::Field`) a field MERIDIAN_NAME. Thread-safe. Entries that the journal
/// does not take are lost.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> make_journal_sink();

}  // namespace meridian::service
