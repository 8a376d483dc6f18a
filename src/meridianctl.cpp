// meridianctl: asks a running daemon over its control socket.
#include "control/client.hpp"
#include "ctl/drain.hpp"
#include "ctl/report.hpp"
#include "daemon/config.hpp"
#include "status/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>

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
  return daemon::find_config(std::nullopt).control.socket;
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
    {"version", "What the daemon is", ctl::report_version},
};

struct Options {
  std::string socket;
  bool json = false;
  ctl::DrainOptions drain;
  std::uint64_t max_frames = 1000;
  bool all = false;
};

CLI::App* add_drain(CLI::App& app, Options& options) {
  static const std::map<std::string, ctl::DrainFormat> formats = {
      {"table", ctl::DrainFormat::table},
      {"ndjson", ctl::DrainFormat::ndjson},
      {"binary", ctl::DrainFormat::binary}};
  CLI::App* const drain = app.add_subcommand("drain", "Take frames out, the oldest first");
  CLI::Option* const max =
      drain->add_option("--max", options.max_frames, "At most so many (default 1000)")
          ->option_text("N")
          ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}));
  drain->add_flag("--all", options.all, "Until the buffer is empty")->excludes(max);
  drain->add_option("--satellite", options.drain.satellite_id, "Only of this satellite")
      ->option_text("ID");
  drain
      ->add_option("--format", options.drain.format,
                   "table (default), ndjson or binary (native framing)")
      ->option_text("table|ndjson|binary")
      ->transform(CLI::CheckedTransformer(formats));
  drain
      ->add_option("--output", options.drain.output,
                   "Write to a file instead of the standard output")
      ->option_text("FILE");
  return drain;
}

void run_drain(control::Client& client, Options& options, const CLI::App& drain) {
  if (!options.all) {
    options.drain.max_frames = options.max_frames;
  }
  if (options.json && drain.get_option("--format")->count() == 0) {
    options.drain.format = ctl::DrainFormat::ndjson;
  }
  const std::uint64_t frames = ctl::drain(client, options.drain);
  if (!options.json) {
    fmt::print(stderr, "drained {} frames\n", frames);
  }
}

void run(const CLI::App& app, Options& options) {
  control::Client client(find_socket(options.socket));
  if (const CLI::App* const drain = app.get_subcommand("drain"); drain->parsed()) {
    run_drain(client, options, *drain);
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
    run(app, options);
    if (std::fflush(stdout) != 0) {
      throw std::runtime_error("cannot write to standard output");
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "meridianctl: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
