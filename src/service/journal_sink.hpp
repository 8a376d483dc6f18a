/// Writes log messages as journal entries.
#pragma once

#include <spdlog/sinks/sink.h>

#include <memory>

namespace meridian::service {

/// Whether what is written to a stream (such as STDERR_FILENO) ends up in the journal, so that
/// entries can be sent there with all of their fields.
[[nodiscard]] bool is_journal(int stream);

/// Its entries have MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, and a field MERIDIAN_NAME for each field
/// of runtime/log.hpp. Thread-safe. What the journal does not take is lost.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> make_journal_sink();

}  // namespace meridian::service
