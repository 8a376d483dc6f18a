// meridiand: the daemon.
#include "daemon/daemon.hpp"
#include "daemon/logging.hpp"
#include "daemon/read_config.hpp"
#include "daemon/reference/reference.hpp"
#include "daemon/secrets.hpp"
#include "runtime/command_line.hpp"
#include "runtime/complain.hpp"
#include "runtime/log_level.hpp"
#include "runtime/process_limits.hpp"
#include "runtime/stray_signals.hpp"
#include "service/inherited_sockets.hpp"
#include "service/journal_sink.hpp"
#include "status/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <sysexits.h>
#include <unistd.h>

namespace {

using namespace meridian;

/// Reports an error to the user who starts the daemon: as a line, or as a journal entry with its
/// level.
void complain(const std::string& text) {
  if (service::is_journal(STDERR_FILENO)) {
    daemon::set_log(std::make_shared<daemon::LogWriter>(service::make_journal_sink()),
                    spdlog::level::err);
    spdlog::error(text);
    daemon::flush_log();
  } else {
    runtime::complain("meridiand: " + text);
  }
}

int serve(const daemon::Config& config, const daemon::ReadConfig& read_config) {
  try {
    daemon::set_log(daemon::open_log(config.log), config.log.level);
  } catch (const std::exception& error) {
    complain(error.what());
    return EXIT_FAILURE;
  }
  try {
    runtime::ignore_stray_signals();
    runtime::raise_open_files_limit();
    const int status =
        daemon::Daemon(config, read_config, service::InheritedSockets::of_process()).run();
    daemon::flush_log();
    return status;
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
    daemon::flush_log();
    if (config.log.target != "stderr" || config.log.level == spdlog::level::off) {
      complain(error.what());
    }
    return EXIT_FAILURE;
  }
}

int print_reference(const std::string& form) {
  try {
    runtime::print(daemon::reference(form));
    runtime::flush_output();
    return EXIT_SUCCESS;
  } catch (const std::invalid_argument& error) {
    complain(fmt::format("--print-reference: {}", error.what()));
    return EX_USAGE;
  } catch (const std::exception& error) {
    complain(error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Satellite-telemetry aggregator daemon: receives frames from many uplinks over TCP, buffers "
      "them, and hands them out over a control socket.");
  std::optional<std::filesystem::path> file;
  std::optional<std::string> log_level;
  std::optional<std::string> reference;
  bool check_config = false;
  app.add_option("--config", file,
                 "Configuration file (default: /etc/meridian/meridiand.json if it exists, "
                 "else built-in defaults)")
      ->option_text("FILE");
  app.add_flag("--check-config", check_config,
               "Check the configuration and exit, with status 78 if it is not valid");
  app.add_option("--log-level", log_level, "Override log.level of the configuration")
      ->option_text("LEVEL");
  app.add_option("--print-reference", reference,
                 "Print a part of the reference, such as configuration.md, and exit")
      ->option_text("FORM");
  app.set_version_flag("--version",
                       fmt::format("meridiand {} ({})", status::version, status::build));
  if (const auto status = runtime::read_command_line(app, argc, argv, "meridiand")) {
    return *status;
  }

  if (reference) {
    return print_reference(*reference);
  }
  const auto level = log_level ? runtime::log_level_from(*log_level) : std::nullopt;
  if (log_level && !level) {
    complain(fmt::format("--log-level: must be one of {}, is \"{}\"", runtime::log_level_names,
                         *log_level));
    return EX_USAGE;
  }
  const daemon::ReadConfig read_config = [file, level] {
    daemon::Config config = daemon::find_config(file);
    daemon::check_build(config);
    config.log.level = level.value_or(config.log.level);
    return config;
  };
  try {
    const daemon::Config config = read_config();
    if (check_config) {
      std::ranges::for_each(daemon::open_secrets(config), complain);
      runtime::print("the configuration is valid\n");
      runtime::flush_output();
      return EXIT_SUCCESS;
    }
    return serve(config, read_config);
  } catch (const config::Error& error) {
    complain(error.what());
    return EX_CONFIG;
  } catch (const std::exception& error) {
    complain(error.what());
    return EXIT_FAILURE;
  }
}
