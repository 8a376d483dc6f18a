// meridianctl: queries and controls a running daemon over its control socket.
#include "ctl/client.hpp"
#include "ctl/daemon_config.hpp"
#include "ctl/drain.hpp"
#include "ctl/health.hpp"
#include "ctl/report.hpp"
#include "ctl/sink.hpp"
#include "ctl/tail.hpp"
#include "runtime/command_line.hpp"
#include "runtime/complain.hpp"
#include "runtime/log_level.hpp"
#include "runtime/output.hpp"
#include "status/version.hpp"
#include "top/top.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace meridian;

/// The control socket: --socket, or else $MERIDIAN_SOCKET, or else where the daemon would put it.
std::string find_socket(const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  if (const char* const from_environment = std::getenv("MERIDIAN_SOCKET");
      from_environment != nullptr && *from_environment != '\0') {
    return from_environment;
  }
  return ctl::socket_of_the_daemon();
}

using Report = std::string (*)(const ctl::Json&);

struct Command {
  const char* name;
  const char* help;
  Report report;
};
constexpr Command commands[] = {
    {"depth", "How much is in the buffer", ctl::report_depth},
    {"flush", "Discard all frames in the buffer", ctl::report_flush},
    {"stats", "The ledger and all counters", ctl::report_stats},
    {"uplinks", "Open uplinks, and those closed recently", ctl::report_uplinks},
    {"satellites", "Frames, gaps and drops per satellite and channel", ctl::report_satellites},
    {"sinks", "Where each sink publishes, and how far it is behind", ctl::report_sinks},
    {"reload", "Read the configuration file again", ctl::report_reload},
    {"version", "Name, version and build of the daemon", ctl::report_version},
};

struct Options {
  std::string socket;
  bool json = false;
  std::string format;  // of frames
  ctl::DrainOptions drain;
  std::uint64_t drain_max = 1000;
  bool drain_all = false;
  bool drain_no_lease = false;
  bool append = false;  // to the file for frames
  bool force = false;
  std::uint64_t drain_lease_s = 60;
  ctl::TailOptions tail;
  std::string log_level;
  SatelliteId forget_satellite = 0;
  std::optional<ChannelId> forget_channel;
  top::Options top;
  double top_interval_s = 1;
  std::string top_sort;
  std::optional<std::string> sink;
  std::optional<std::filesystem::path> config;  // of the daemon that has the sink
  sink::jetstream::StreamWish stream;
  std::uint64_t duplicate_window_s = sink::jetstream::least_duplicate_window.count();
  std::optional<std::uint64_t> max_age_s;
};

constexpr std::uint64_t most_frames = 1'000'000'000'000;

/// A number of seconds within bounds. CLI::Range would let NaN through.
CLI::Validator seconds_from(double least, double most) {
  return CLI::Validator(
      [least, most](const std::string& text) {
        double value = 0;
        const bool fits = CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
        return fits ? "" : fmt::format("{} is not a number from {} to {}", text, least, most);
      },
      fmt::format("FLOAT in [{} - {}]", least, most));
}

/// Adds the options that every command for frames has.
void add_frame_options(CLI::App& command, Options& options, std::string& output,
                       std::optional<SatelliteId>& satellite_id) {
  command.add_option("--satellite", satellite_id, "Only frames of this satellite")
      ->option_text("ID");
  command
      .add_option("--format", options.format, "table (default), ndjson or binary (native framing)")
      ->option_text("table|ndjson|binary");
  CLI::Option* const file =
      command
          .add_option("--output", output,
                      "Write to a new or empty file instead of the standard output")
          ->option_text("FILE");
  CLI::Option* const append =
      command.add_flag("--append", options.append, "Append to the file if it is not empty")
          ->needs(file);
  command.add_flag("--force", options.force, "Replace what is in the file")
      ->needs(file)
      ->excludes(append);
}

void add_drain(CLI::App& app, Options& options) {
  CLI::App& drain = *app.add_subcommand("drain", "Take frames out of the buffer, oldest first");
  CLI::Option* const max =
      drain.add_option("--max", options.drain_max, "Take at most this many frames (default 1000)")
          ->option_text("N")
          ->check(CLI::Range(std::uint64_t{1}, most_frames));
  drain.add_flag("--all", options.drain_all, "Drain until the buffer is empty")->excludes(max);
  CLI::Option* const no_lease =
      drain.add_flag("--no-lease", options.drain_no_lease,
                     "Remove frames from the daemon once they are sent, not once they are written");
  drain.add_flag("--lease")
      ->description("Keep frames leased until they are written (default)")
      ->excludes(no_lease);
  drain
      .add_option("--lease-s", options.drain_lease_s, "Seconds that each lease lasts (default 60)")
      ->option_text("SECONDS")
      ->excludes(no_lease)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{86'400}));
  add_frame_options(drain, options, options.drain.output, options.drain.satellite_id);
}

void add_tail(CLI::App& app, Options& options) {
  CLI::App& tail =
      *app.add_subcommand("tail", "Print frames as they arrive; they stay in the buffer");
  tail.add_option("--channel", options.tail.channel_id, "Only frames of this channel or APID")
      ->option_text("ID");
  tail.add_option("--max", options.tail.max_frames, "Stop after this many frames")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{1}, most_frames));
  add_frame_options(tail, options, options.tail.output, options.tail.satellite_id);
}

void add_log_level(CLI::App& app, Options& options) {
  app.add_subcommand("log-level", "Set the daemon's log level, until its next reload or restart")
      ->add_option("LEVEL", options.log_level, std::string(runtime::log_level_names))
      ->required();
}

void add_forget(CLI::App& app, Options& options) {
  CLI::App& forget =
      *app.add_subcommand("forget", "Forget a satellite that will not be heard again");
  forget.add_option("SATELLITE", options.forget_satellite, "ID of the satellite")->required();
  forget.add_option("CHANNEL", options.forget_channel, "Only this channel or APID");
}

void add_top(CLI::App& app, Options& options) {
  CLI::App& top = *app.add_subcommand("top", "Watch figures and rates, satellites and uplinks");
  top.add_option("--interval", options.top_interval_s, "Seconds between updates (default 1)")
      ->option_text("SECONDS")
      ->check(seconds_from(0.1, 3600));
  top.add_option("--sort", options.top_sort, "Column to sort by initially (default satellite)")
      ->option_text("COLUMN");
  top.add_option("--count", options.top.count, "Stop after this many intervals")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{1}, most_frames));
}

void add_sink(CLI::App& app, Options& options) {
  constexpr std::uint64_t ten_years_s = 10 * 365 * 86'400;
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 60;
  CLI::App& sink = *app.add_subcommand("sink", "Prepare the stream that a sink publishes into");
  sink.require_subcommand(1);
  CLI::App& create = *sink.add_subcommand("create", "Create the stream of a sink");
  create.add_option("NAME", options.sink, "Name of the sink; needed if several are configured");
  create
      .add_option("--config", options.config,
                  "Configuration file of the daemon (default: the one that it reads)")
      ->option_text("FILE");
  create
      .add_option("--replicas", options.stream.replicas,
                  "Servers that each hold a full copy (default 3)")
      ->option_text("N")
      ->check(CLI::Range(1U, 5U));
  create
      .add_option("--duplicate-window-s", options.duplicate_window_s,
                  "Seconds for which the stream recognises repeated messages (default 120)")
      ->option_text("SECONDS")
      ->check(CLI::Range(std::uint64_t{1}, ten_years_s));
  create
      .add_option("--max-bytes", options.stream.max_bytes,
                  "Most bytes that the stream holds (default: no limit)")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{1}, most_bytes));
  create
      .add_option("--max-age-s", options.max_age_s,
                  "Seconds after which messages are dropped (default: never)")
      ->option_text("SECONDS")
      ->check(CLI::Range(std::uint64_t{1}, ten_years_s));
}

ctl::FrameFormat read_format(const Options& options) {
  return ctl::frame_format_from(!options.format.empty() ? options.format
                                : options.json          ? "ndjson"
                                                        : "table");
}

runtime::WhenThere when_there(const Options& options) {
  if (options.append) {
    return runtime::WhenThere::append;
  }
  return options.force ? runtime::WhenThere::replace : runtime::WhenThere::refuse;
}

int run_drain(ctl::Client& client, Options& options) {
  options.drain.format = read_format(options);
  options.drain.when_there = when_there(options);
  if (!options.drain_all) {
    options.drain.max_frames = options.drain_max;
  }
  options.drain.lease = std::chrono::seconds(options.drain_lease_s);
  if (options.drain_no_lease) {
    options.drain.lease.reset();
  }
  const std::uint64_t frames = ctl::drain(client, options.drain);
  if (!options.json) {
    runtime::complain(fmt::format("drained {} frames", frames));
  }
  return EXIT_SUCCESS;
}

int run_tail(ctl::Client& client, Options& options) {
  options.tail.format = read_format(options);
  options.tail.when_there = when_there(options);
  const ctl::TailEnd end = ctl::tail(client, options.tail, [](std::uint64_t lost) {
    runtime::complain(fmt::format("{} frames were left out: they arrived too fast to print", lost));
  });
  if (!options.json) {
    runtime::complain(fmt::format("watched {} frames", end.frames));
  }
  return EXIT_SUCCESS;
}

/// Asks the servers of the sink. The daemon need not run.
int run_sink_create(Options& options) {
  options.stream.duplicate_window = std::chrono::seconds(options.duplicate_window_s);
  if (options.max_age_s) {
    options.stream.max_age = std::chrono::seconds(*options.max_age_s);
  }
  const std::vector<sink::Options> sinks = ctl::configured_sinks(options.config);
  const sink::jetstream::CreatedStream created =
      ctl::create_sink_stream(ctl::choose_sink(sinks, options.sink), options.stream);
  runtime::print(options.json ? ctl::json_line(ctl::to_json(created))
                              : ctl::report_created(created));
  return ctl::as_asked(created) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_log_level(ctl::Client& client, const Options& options) {
  const ctl::Json result = client.call("log_level", {{"level", options.log_level}});
  runtime::print(options.json ? ctl::json_line(result) : ctl::report_log_level(result));
  return EXIT_SUCCESS;
}

int run_forget(ctl::Client& client, const Options& options) {
  ctl::Json params = {{"satellite_id", options.forget_satellite}};
  if (options.forget_channel) {
    params["channel_id"] = *options.forget_channel;
  }
  const ctl::Json result = client.call("forget", params);
  runtime::print(options.json ? ctl::json_line(result) : ctl::report_forget(result));
  return result.at("forgotten") != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_health(const Options& options) {
  // Scripts run this, and must not hang. The aggregator has a second for its answer.
  constexpr std::chrono::seconds patience{5};
  ctl::Client client(find_socket(options.socket), patience);
  const ctl::Json result = client.call("health");
  runtime::print(options.json ? ctl::json_line(result) : ctl::report_health(result));
  return ctl::health_status(result);
}

/// `top` connects on its own, and reconnects if the connection breaks.
int run_top(Options& options) {
  options.top.interval = std::chrono::duration<double>(options.top_interval_s);
  options.top.json = options.json;
  if (!options.top_sort.empty()) {
    options.top.first = top::first_table_from(options.top_sort);
  }
  return top::run(find_socket(options.socket), options.top);
}

int run(const CLI::App& app, Options& options) {
  std::ignore = read_format(options);  // refuses a bad format before any request
  if (app.got_subcommand("top")) {
    return run_top(options);
  }
  if (app.got_subcommand("health")) {
    return run_health(options);
  }
  if (app.got_subcommand("sink")) {
    return run_sink_create(options);
  }
  ctl::Client client(find_socket(options.socket));
  if (app.got_subcommand("drain")) {
    return run_drain(client, options);
  }
  if (app.got_subcommand("tail")) {
    return run_tail(client, options);
  }
  if (app.got_subcommand("forget")) {
    return run_forget(client, options);
  }
  if (app.got_subcommand("log-level")) {
    return run_log_level(client, options);
  }
  for (const Command& command : commands) {
    if (app.got_subcommand(command.name)) {
      const ctl::Json result = client.call(command.name);
      runtime::print(options.json ? ctl::json_line(result) : command.report(result));
    }
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Queries and controls a running meridiand over its control socket.");
  Options options;
  app.add_option("--socket", options.socket,
                 "Control socket (default: $MERIDIAN_SOCKET, then where the daemon "
                 "would put it)")
      ->option_text("PATH");
  app.add_flag("--json", options.json, "Print answers as JSON, for programs");
  app.set_version_flag("--version",
                       fmt::format("meridianctl {} ({})", status::version, status::build));
  app.require_subcommand(1);
  app.fallthrough();
  for (const Command& command : commands) {
    app.add_subcommand(command.name, command.help);
  }
  app.add_subcommand("health", "Whether the daemon is alive and ready, by exit status");
  add_drain(app, options);
  add_tail(app, options);
  add_log_level(app, options);
  add_forget(app, options);
  add_top(app, options);
  add_sink(app, options);
  if (const auto status = runtime::read_command_line(app, argc, argv, "meridianctl")) {
    // A monitor takes any status other than those of `health` for a broken plugin.
    const bool failed = *status != EXIT_SUCCESS && app.got_subcommand("health");
    return failed ? ctl::health_unknown : *status;
  }
  // So a file that gets too long is a write error, as a full disk is, and does not kill the
  // process.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    // If standard output is closed, the connection's descriptor could get its number, and drained
    // frames would be lost.
    if (::fcntl(STDOUT_FILENO, F_GETFD) == -1) {
      throw std::runtime_error("standard output is closed");
    }
    const int status = run(app, options);
    runtime::flush_output();
    return status;
  } catch (const std::exception& error) {
    runtime::complain(fmt::format("meridianctl: {}", error.what()));
    return app.got_subcommand("health") ? ctl::health_unknown : EXIT_FAILURE;
  }
}
