// The start of the daemon, and its run until it is told to stop.
#include "daemon/daemon.hpp"

#include "aggregator/maintenance.hpp"
#include "daemon/descriptors.hpp"
#include "daemon/logging.hpp"
#include "daemon/reports.hpp"
#include "daemon/secrets.hpp"
#include "http/make_server.hpp"
#include "runtime/faults.hpp"
#include "runtime/nearest_executor.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/run_on_threads.hpp"
#include "runtime/use_tuple.hpp"
#include "sink/type.hpp"
#include "status/version.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <string.h>

namespace meridian::daemon {

namespace {

std::size_t thread_count(std::size_t configured) {
  return configured != 0 ? configured
                         : std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

}  // namespace

Daemon::Daemon(const Config& config, ReadConfig read_config, service::InheritedSockets inherited)
    : signals_(asio::make_strand(control_context_), SIGTERM, SIGINT, SIGHUP),
      deadline_(control_context_.get_executor(), {.give_up_peers = [this] { give_up_peers(); },
                                                  .give_up_all = [this] { stop_contexts(); }}),
      housekeeping_(signals_.get_executor(), silence_, [this] { every_second(); }),
      notifier_(signals_.get_executor()),
      heartbeat_(signals_.get_executor(), notifier_),
      config_(config),
      inherited_(std::move(inherited)),
      reloads_(signals_.get_executor(), notifier_,
               {.mend = [this] { mend_control_socket(); },
                .read = std::move(read_config),
                .take_up = [this](NewConfig read) { return take_up(std::move(read)); },
                .settle = [this] { return settle_reload(); }}) {
  // Further signals that mean stop: SIGQUIT, SIGXCPU (CPU limit reached), SIGPWR (power failure).
  for (const int signal : {SIGQUIT, SIGXCPU, SIGPWR}) {
    signals_.add(signal);
  }
  silence_.set_limit(config.silent_after);
  housekeeping_.set_forget_after(config.forget_after);
  keep_descriptors_for_operators(config);
  aggregator_contexts_.push_back(&aggregator_context_);
  kept_running_.emplace_back(aggregator_context_.get_executor());
  std::vector<asio::any_io_executor> uplink_executors;
  for (std::size_t i = 0; i < thread_count(config.threads); ++i) {
    Context& context = uplink_contexts_.emplace_back(1);
    aggregator_contexts_.push_back(&context);
    kept_running_.emplace_back(context.get_executor());
    uplink_executors.emplace_back(context.get_executor());
  }
  if (config.http.listen) {
    kept_running_.emplace_back(http_context_.get_executor());
  }
  aggregator_ = spawn_aggregator(runtime::NearestExecutor(aggregator_contexts_), config.aggregator);
  spdlog::info("meridiand {} starts with {} threads for uplinks", status::version,
               uplink_executors.size());
  if (config.state_directory) {
    state_.emplace(*config.state_directory, config.when_state_unreadable);
    state_report_.directory = config.state_directory->string();
  } else {
    spdlog::info(
        "no state directory: what is in the buffer will be gone when the daemon ends; set "
        "state.directory to keep it");
  }
  sources_.emplace(
      status::Sources{.aggregator = *aggregator_,
                      .uplinks = uplinks_,
                      .control_clients = control_clients_,
                      .pulse = pulse_,
                      .silence = silence_,
                      .state = state_report_,
                      .sinks = sink_table_,
                      .control_socket_is_there = [this] { return control_->has_its_file(); },
                      .control_socket_is_inherited = [this] { return control_->is_inherited(); }});
  warn_of_open_secrets(open_secrets(config));
  make_sinks();
  try {
    open_sockets(config, std::move(uplink_executors));
  } catch (...) {
    // Unused sockets hint at the cause: an address may be in use because the service manager holds
    // it.
    for (const service::InheritedSockets::Unused& socket : inherited_.unused()) {
      spdlog::error("the inherited socket \"{}\" ({}) had not been used when the start failed",
                    socket.name, socket.address);
    }
    throw;
  }
  for (const service::InheritedSockets::Unused& socket : inherited_.unused()) {
    spdlog::error(
        "nothing listens on the inherited socket \"{}\" ({}): no listener in the configuration "
        "has its name or address; add one, or remove the socket from its unit",
        socket.name, socket.address);
  }
}

void Daemon::open_sockets(const Config& config,
                          std::vector<asio::any_io_executor> uplink_executors) {
  control_ = std::make_shared<control::Server>(
      control_context_.get_executor(), config.control,
      inherited_.take_control(config.control.socket),
      control::Services{.sources = *sources_, .reload = [this] {
                          return asio::co_spawn(signals_.get_executor(), reloads_.reload(),
                                                asio::use_awaitable);
                        }});
  if (config.http.listen) {
    http_ = http::make_server(http_context_.get_executor(), config.http,
                              inherited_.find("http", *config.http.listen), *sources_);
  }
  listeners_.emplace(std::move(uplink_executors), *aggregator_, uplinks_);
  first_listeners_ = listeners_->prepare(config.uplinks, inherited_);
}

Daemon::~Daemon() {
  control_context_.shutdown();
  http_context_.shutdown();
  aggregator_context_.shutdown();
  std::ranges::for_each(uplink_contexts_, &Context::shutdown);
  std::ranges::for_each(sink_contexts_, &Context::shutdown);
}

int Daemon::run() {
  asio::co_spawn(signals_.get_executor(), serve(), [this](const std::exception_ptr& error) {
    if (error) {
      start_failed_ = error;
      stop_contexts();
    }
  });
  runtime::run_on_threads(all_contexts(),
                          [this](const std::exception_ptr& error) { broken(error); });
  runtime::rethrow(start_failed_);
  return broken_ ? 1 : exit_status_;
}

void Daemon::broken(const std::exception_ptr& error) noexcept {
  try {
    broken_ = true;
    spdlog::critical(
        "internal error: {}; the daemon stops, saves the buffer and exits with status 1; report "
        "this, unless memory has run out",
        runtime::describe(error));
    // Ends the wait for a signal, and so begins the stop.
    asio::post(signals_.get_executor(), [this] {
      error_code ignored;
      signals_.cancel(ignored);
    });
  } catch (...) {  // NOLINT(bugprone-empty-catch): out of memory; the next signal ends the daemon
  }
}

void Daemon::every_second() {
  look_for_control_socket();
  release_former_log();
}

void Daemon::make_sinks() {
  for (const sink::Options& options : config_.sinks) {
    status::SinkRecord& record = sink_table_.emplace_back(options.type->info(options));
    Context& context = sink_contexts_.emplace_back(1);
    kept_running_.emplace_back(context.get_executor());
    sinks_.push_back(
        options.type->make(context, signals_.get_executor(), options, *aggregator_, record));
  }
}

std::vector<asio::io_context*> Daemon::all_contexts() {
  std::vector<asio::io_context*> all{&control_context_};
  all.insert(all.end(), aggregator_contexts_.begin(), aggregator_contexts_.end());
  if (config_.http.listen) {
    all.push_back(&http_context_);
  }
  for (Context& context : sink_contexts_) {
    all.push_back(&context);
  }
  return all;
}

asio::awaitable<void> Daemon::serve() {
  if (state_) {
    co_await restore_state();
  }
  // From here on there is a state to save, whatever happens.
  try {
    co_await serve_until_told_to_stop();
  } catch (...) {
    broken(std::current_exception());
  }
  stopping_ = true;
  try {
    pulse_.set_serving(false);
    notifier_.stopping();
    deadline_.begin();
    co_await stop_parts();
  } catch (...) {
    broken(std::current_exception());
  }
  try {
    co_await save_what_is_left();
  } catch (...) {
    broken(std::current_exception());
    stop_contexts();
  }
  let_go();
}

asio::awaitable<void> Daemon::serve_until_told_to_stop() {
  const auto strand = signals_.get_executor();
  asio::co_spawn(strand, housekeeping_.run(*aggregator_), runtime::rethrow);
  asio::co_spawn(strand, heartbeat_.run(*aggregator_, uplinks_, pulse_), runtime::rethrow);
  control_->start();
  if (http_) {
    http_->start();
  }
  for (const std::shared_ptr<runtime::Part>& each : sinks_) {
    each->start();
  }
  listeners_->carry_out(*std::exchange(first_listeners_, std::nullopt));
  pulse_.set_serving(true);
  notifier_.ready();
  spdlog::info("ready");
  co_await wait_for_stop_signal();
}

asio::awaitable<void> Daemon::restore_state() {
  std::optional<state::Restored> read = state_->read();
  if (!read) {
    co_return;
  }
  const std::uint64_t saved_frames =
      read->saved.ledger ? read->saved.ledger->buffered : read->frames;
  state_report_.restored = read->frames;
  state_report_.not_restored = saved_frames - std::min(saved_frames, read->frames);
  for (const state::Region& region : read->damaged) {
    state_report_.damaged_bytes += region.bytes;
  }
  // Restores before it removes the file: whatever happens, the frames are in at least one place.
  const auto stats = co_await aggregator::Maintenance(*aggregator_).restore(std::move(read->saved));
  if (!stats) {
    throw boost::system::system_error(stats.error());
  }
  const auto aside = state_->forget(*read);
  if (aside) {
    state_report_.set_aside = aside->string();
  }
  try {
    log_restored(state_report_, *read);
  } catch (...) {
    broken(std::current_exception());  // stops in an orderly way: only this process has the frames
  }
}

asio::awaitable<void> Daemon::wait_for_stop_signal() {
  while (!broken_) {
    const auto [ec, signal] = co_await signals_.async_wait(runtime::use_tuple);
    if (!ec && signal == SIGHUP) {
      reloads_.on_signal();
    } else if (!broken_) {
      spdlog::info("stopping on SIG{}", ::sigabbrev_np(signal));
      co_return;
    }
  }
}

}  // namespace meridian::daemon
