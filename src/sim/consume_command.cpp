#include "sim/consume_command.hpp"

#include "runtime/command_line.hpp"
#include "sim/consumption.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <malloc.h>

namespace meridian::sim {

namespace {

/// Reads the name of a file. Refuses an empty name instead of treating it as no file.
std::string read_file_name(const char* option, const std::optional<std::string>& given) {
  if (given && given->empty()) {
    throw std::runtime_error(fmt::format("{}: needs the name of a file", option));
  }
  return given.value_or("");
}

/// Throws if the server does not allow this name of a stream or consumer.
void check_name(const char* option, const std::string& name) {
  const bool has_others = name.find_first_of(" \t\r\n.*>/\\") != std::string::npos;
  if (name.empty() || has_others) {
    throw std::runtime_error(
        fmt::format("{}: must be a name without blanks and without any of .*>/\\", option));
  }
}

/// The client library allocates each message anew. Returning memory to the system every few
/// megabytes, and having it cleared again, would take longer than everything else.
void keep_freed_memory() {
  constexpr int kept_bytes = 64 * 1024 * 1024;
  ::mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

ConsumeOptions read_options(const GivenConsume& given) {
  ConsumeOptions options;
  if (!given.servers.empty()) {
    options.servers = given.servers;
  }
  options.credentials = read_file_name("--credentials", given.credentials);
  options.tls_ca = read_file_name("--tls-ca", given.tls_ca);
  options.output = read_file_name("--output", given.output);
  if (given.append) {
    options.when_there = runtime::WhenThere::append;
  } else if (given.force) {
    options.when_there = runtime::WhenThere::replace;
  }
  check_name("--stream", given.stream);
  options.stream = given.stream;
  if (given.durable) {
    check_name("--durable", *given.durable);
    options.durable = *given.durable;
  }
  options.subject = given.subject;
  options.expected_frames = given.expected_frames;
  constexpr double least = 0.1;
  constexpr double most = 24 * 3600;
  const bool in_range = given.idle_timeout_s >= least && given.idle_timeout_s <= most;
  if (!in_range) {  // NaN is not in range
    throw std::runtime_error(
        fmt::format("--idle-timeout: must be a number from {} to {}", least, most));
  }
  options.idle_timeout = std::chrono::duration<double>(given.idle_timeout_s);
  return options;
}

}  // namespace

CLI::App& add_consume(CLI::App& app, GivenConsume& given) {
  CLI::App& consume = *app.add_subcommand(
      "consume", "Read a NATS JetStream stream back, and check that all frames are in it");
  consume
      .add_option("--server", given.servers,
                  "A server of the cluster; repeatable (default nats://127.0.0.1:4222)")
      ->option_text("URL")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  consume.add_option("--credentials", given.credentials, "File with the user's credentials")
      ->option_text("FILE");
  consume.add_option("--tls-ca", given.tls_ca, "Use TLS, and trust the certificates in this file")
      ->option_text("FILE");
  consume.add_option("--stream", given.stream, "Name of the stream")
      ->option_text("NAME")
      ->required();
  consume
      .add_option("--durable", given.durable,
                  "Continue where the last run with this name ended (default: from the start)")
      ->option_text("NAME");
  consume
      .add_option("--subject", given.subject,
                  "Only messages with this subject, which may have wildcards")
      ->option_text("FILTER");
  consume
      .add_option("--expect", given.expected_frames,
                  "Stop once this many frames have arrived and the stream holds no more messages")
      ->option_text("FRAMES")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000'000}));
  consume
      .add_option("--idle-timeout", given.idle_timeout_s,
                  "Stop when no message has arrived for this many seconds (default 5)")
      ->option_text("S");
  CLI::Option* const file =
      consume
          .add_option("--output", given.output,
                      "Write the frames to a new or empty file, in native framing")
          ->option_text("FILE");
  CLI::Option* const append =
      consume.add_flag("--append", given.append, "Append to the file if it is not empty")
          ->needs(file);
  consume.add_flag("--force", given.force, "Replace what is in the file")
      ->needs(file)
      ->excludes(append);
  consume.add_flag("--json", given.json, "Print the result as JSON, for programs");
  return consume;
}

int run_consume(const GivenConsume& given) {
  const ConsumeOptions options = read_options(given);
  keep_freed_memory();
  const ConsumeReport report = consume(options);
  if (!report.failure.empty()) {
    runtime::complain("meridian-sim: failed: " + report.failure);
  }
  runtime::print(given.json ? to_json(report) : to_text(report));
  runtime::flush_output();
  return all_well(report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace meridian::sim
