// meridianctl: asks a running daemon over its control socket.
#include "control/client.hpp"
#include "control/default_socket.hpp"
#include "ctl/drain.hpp"
#include "ctl/report.hpp"
#include "daemon/config.hpp"
#include "runtime/complain.hpp"
#include "status/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace meridian;

/// --socket, $MERIDIAN_SOCKET, then where the daemon would put it.
std::string find_socket(const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  if (const char* const from_environment = std::getenv("MERIDIAN_SOCKET");
      from_environment != nullptr && *from_environment != '\0') {
    return from_environment;
  }
  try {
    return daemon::find_config(std::nullopt).control.socket;
  } catch (const daemon::ConfigError&) {
    // The daemon runs on with the configuration that it had, and can say what is wrong with this
    // one.
    return control::default_socket();
  }
}

using Report = std::string (*)(const ctl::Json&);

struct Command {
  const char* name;
  const char* help;
  Report report;
};
constexpr Command commands[] = {
    {"depth", "How much is in the buffer", ctl::report_depth},
    {"flush", "Discard the buffer", ctl::report_flush},
    {"stats", "The ledger and all counters", ctl::report_stats},
    {"uplinks", "Who is connected, and who was", ctl::report_uplinks},
    {"satellites", "Frames, gaps and drops per satellite and channel", ctl::report_satellites},
    {"reload", "Read the configuration file again", ctl::report_reload},
    {"version", "What the daemon is", ctl::report_version},
};

struct Options {
  std::string socket;
  bool json = false;
  ctl::DrainOptions drain;
  std::string format;
  std::uint64_t max_frames = 1000;
  bool all = false;
};

CLI::App* add_drain(CLI::App& app, Options& options) {
  CLI::App* const drain = app.add_subcommand("drain", "Take frames out, the oldest first");
  CLI::Option* const max =
      drain->add_option("--max", options.max_frames, "At most so many (default 1000)")
          ->option_text("N")
          ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}));
  drain->add_flag("--all", options.all, "Until the buffer is empty")->excludes(max);
  drain->add_option("--satellite", options.drain.satellite_id, "Only of this satellite")
      ->option_text("ID");
  drain
      ->add_option("--format", options.format, "table (default), ndjson or binary (native framing)")
      ->option_text("table|ndjson|binary");
  drain
      ->add_option("--output", options.drain.output,
                   "Write to a file instead of the standard output")
      ->option_text("FILE");
  return drain;
}

ctl::DrainFormat read_format(const Options& options) {
  if (options.format == "ndjson" || (options.format.empty() && options.json)) {
    return ctl::DrainFormat::ndjson;
  }
  if (options.format == "table" || options.format.empty()) {
    return ctl::DrainFormat::table;
  }
  if (options.format == "binary") {
    return ctl::DrainFormat::binary;
  }
  throw std::runtime_error("--format: must be table, ndjson or binary");
}

void run_drain(control::Client& client, Options& options) {
  if (!options.all) {
    options.drain.max_frames = options.max_frames;
  }
  const std::uint64_t frames = ctl::drain(client, options.drain);
  if (!options.json) {
    runtime::complain(fmt::format("drained {} frames", frames));
  }
}

void run(const CLI::App& app, Options& options) {
  options.drain.format = read_format(options);
  control::Client client(find_socket(options.socket));
  if (const CLI::App* const drain = app.get_subcommand("drain"); drain->parsed()) {
    run_drain(client, options);
    return;
  }
  for (const Command& command : commands) {
    if (app.got_subcommand(command.name)) {
      const ctl::Json result = client.call(command.name);
      fmt::print("{}", options.json ? result.dump() + "\n" : command.report(result));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Asks a running meridiand over its control socket.");
  Options options;
  app.add_option("--socket", options.socket,
                 "Control socket (default: $MERIDIAN_SOCKET, then where the daemon "
                 "would put it)")
      ->option_text("PATH");
  app.add_flag("--json", options.json, "Answers for programs");
  app.set_version_flag("--version",
                       fmt::format("meridianctl {} ({})", status::version, status::build));
  app.require_subcommand(1);
  app.fallthrough();
  for (const Command& command : commands) {
    app.add_subcommand(command.name, command.help);
  }
  add_drain(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    // Else a file descriptor of the connection could take its place, and drained frames be lost.
    if (::fcntl(STDOUT_FILENO, F_GETFD) == -1) {
      throw std::runtime_error("standard output is closed");
    }
    run(app, options);
    if (std::fflush(stdout) != 0) {
      throw std::runtime_error("cannot write to standard output");
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    runtime::complain(fmt::format("meridianctl: {}", error.what()));
    return EXIT_FAILURE;
  }
}
