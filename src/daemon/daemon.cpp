#include "daemon/daemon.hpp"

#include "daemon/config_changes.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/logging.hpp"
#include "daemon/secrets.hpp"
#include "http/make_server.hpp"
#include "runtime/faults.hpp"
#include "runtime/log.hpp"
#include "runtime/nearest_executor.hpp"
#include "runtime/process_limits.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/run_on_threads.hpp"
#include "runtime/use_tuple.hpp"
#include "sink/make_sink.hpp"
#include "status/version.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <string.h>

namespace meridian::daemon {

namespace log = runtime::log;

namespace {

/// Everything that a stop waits for takes milliseconds; whatever hangs is given up then, in
/// seconds. Counted in ticks, so that a process that was frozen for a while does not take itself
/// for hung.
constexpr unsigned stop_deadline_ticks = 4;

/// Until a reload is refused: to read a file and to look up a group take milliseconds.
constexpr std::chrono::seconds config_patience{10};

control::ReloadRefused refused_by_stop() {
  return {"the daemon stops: start it again"};
}

std::size_t thread_count(std::size_t configured) {
  return configured != 0 ? configured
                         : std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

/// For all clients that there may be, and for files, sinks and what else is opened now and then.
void keep_descriptors_for_operators(const Config& config) {
  constexpr std::size_t others = 64;
  const std::size_t http_clients =
      config.http.listen ? config.http.max_clients + http::reserved_places : 0;
  runtime::keep_descriptors(config.control.max_clients + http_clients + others);
}

/// What has become of the buffer.
std::string_view fate_of_rest(Daemon::Saved saved) {
  switch (saved) {
    case Daemon::Saved::all:
      return " and are saved";
    case Daemon::Saved::not_all:
      return " and could not all be saved";
    case Daemon::Saved::nowhere:
      break;
  }
  return "";
}

void log_end(const AggregatorStats& stats, Daemon::Saved saved) {
  const Ledger& ledger = stats.ledger;
  std::uint64_t dropped = 0;
  for (const std::uint64_t frames : ledger.dropped) {
    dropped += frames;
  }
  spdlog::info(
      "stopped: {} frames ({} octets) remained{}; of {} received, {} were drained, {} "
      "flushed, {} delivered, {} dropped",
      ledger.buffered, stats.buffer.now.bytes, fate_of_rest(saved), ledger.received, ledger.drained,
      ledger.flushed, ledger.delivered, dropped);
}

void log_restored(const status::StateReport& report, const state::Restored& read) {
  if (!read.why_unreadable.empty()) {
    log::error({{"reason", "state_unreadable"}},
               "the saved state in {} cannot be read: {}; it is set aside, as "
               "state.when_unreadable says",
               *report.directory, read.why_unreadable);
  }
  spdlog::info("restored {} frames from {}", report.restored, *report.directory);
  if (!read.is_whole) {
    log::error(
        {{"reason", "state_damaged"}},
        "the saved state in {} is damaged: {} frames are missing, {} octets could not be "
        "read; {}",
        *report.directory, report.not_restored, report.damaged_bytes,
        report.set_aside ? "they are set aside as " + *report.set_aside : "nothing of it is left");
  }
}

void log_reload(const control::ReloadOutcome& outcome) {
  if (const auto* const refused = std::get_if<control::ReloadRefused>(&outcome)) {
    log::error({{"reason", "configuration_refused"}},
               "the new configuration is refused, the old one stays: {}", refused->reason);
    return;
  }
  const auto& report = std::get<control::ReloadReport>(outcome);
  spdlog::info("reloaded: {}", report.changed.empty()
                                   ? "nothing has changed"
                                   : fmt::format("{}", fmt::join(report.changed, ", ")));
  if (!report.needs_restart.empty()) {
    spdlog::warn("a restart is needed for {}", fmt::join(report.needs_restart, ", "));
  }
}

}  // namespace

Daemon::Daemon(const Config& config, ReadConfig read_config, service::InheritedSockets inherited)
    : signals_(asio::make_strand(control_context_), SIGTERM, SIGINT, SIGHUP),
      deadline_(control_context_),
      housekeeping_(signals_.get_executor(), silence_, [this] { look_for_control_socket(); }),
      notifier_(signals_.get_executor()),
      heartbeat_(signals_.get_executor(), notifier_),
      config_(config),
      read_config_(std::move(read_config)),
      inherited_(std::move(inherited)),
      new_config_(signals_.get_executor()),
      reload_ended_(signals_.get_executor()) {
  // Besides those that end a program by habit: the processor time that it may have is used up, or
  // the power goes.
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
    spdlog::info("no state directory: what is in the buffer will be gone with the daemon");
  }
  sources_.emplace(
      status::Sources{.aggregator = *aggregator_,
                      .uplinks = uplinks_,
                      .control_clients = control_clients_,
                      .pulse = pulse_,
                      .silence = silence_,
                      .state = state_report_,
                      .sinks = sink_table_,
                      .control_socket_is_there = [this] { return control_->has_its_file(); }});
  warn_of_open_secrets(config);
  make_sinks();
  control_ = std::make_shared<control::Server>(
      control_context_.get_executor(), config.control,
      inherited_.take_control(config.control.socket),
      control::Services{.sources = *sources_, .reload = [this] {
                          return asio::co_spawn(signals_.get_executor(), reload(),
                                                asio::use_awaitable);
                        }});
  if (config.http.listen) {
    http_ = http::make_server(http_context_.get_executor(), config.http,
                              inherited_.find("http", *config.http.listen), *sources_);
  }
  listeners_.emplace(std::move(uplink_executors), *aggregator_, uplinks_);
  first_listeners_ = listeners_->prepare(config.uplinks, inherited_);
  for (const std::string& name : inherited_.unused()) {
    spdlog::error(
        "nothing listens on the inherited socket \"{}\": no listener has its name or its "
        "address",
        name);
  }
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
      std::ranges::for_each(all_contexts(), &asio::io_context::stop);
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
        "a fault of this program: {}; it stops in order, saves what is in the buffer, and exits "
        "with 1; please report it, unless memory has run out",
        runtime::describe(error));
    // Ends the wait for a signal, and so begins the stop.
    asio::post(signals_.get_executor(), [this] {
      error_code ignored;
      signals_.cancel(ignored);
    });
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is no memory, and the next signal ends it
  }
}

void Daemon::look_for_control_socket() {
  if (stopping_) {
    return;  // it goes with the daemon
  }
  const bool is_there = control_->has_its_file();
  if (std::exchange(control_socket_is_there_, is_there) == is_there) {
    return;
  }
  if (is_there) {
    spdlog::info("the file of the control socket is there again");
  } else {
    log::error({{"reason", "control_socket_gone"}},
               "the file of the control socket, {}, is gone, so nobody can connect: SIGHUP makes "
               "it again, unless it is one of systemd",
               config_.control.socket);
  }
}

void Daemon::make_sinks() {
  for (const sink::Options& options : config_.sinks) {
    const bool holds = options.when_behind == sink::WhenBehind::hold;
    status::SinkRecord& record =
        sink_table_.emplace_back(status::SinkInfo{.name = options.name,
                                                  .type = "nats_jetstream",
                                                  .stream = options.stream,
                                                  .subject = options.subject,
                                                  .when_behind = holds ? "hold" : "skip_oldest"});
    Context& context = sink_contexts_.emplace_back(1);
    kept_running_.emplace_back(context.get_executor());
    sinks_.push_back(
        sink::make_sink(context, signals_.get_executor(), options, *aggregator_, record));
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
  // From here on there is something to save, whatever happens.
  try {
    co_await serve_until_told_to_stop();
  } catch (...) {
    broken(std::current_exception());
  }
  stopping_ = true;
  try {
    pulse_.set_serving(false);
    notifier_.stopping();
    watch_stop();
    co_await stop_in_order();
  } catch (...) {
    broken(std::current_exception());
  }
  try {
    co_await save_what_is_left();
  } catch (...) {
    broken(std::current_exception());
    std::ranges::for_each(all_contexts(), &asio::io_context::stop);
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
  // Before the file is removed: whatever happens, the frames are in one place at least.
  const auto stats = co_await aggregator_->restore(std::move(read->saved));
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
    broken(std::current_exception());  // the frames are here alone
  }
}

asio::awaitable<void> Daemon::wait_for_stop_signal() {
  while (!broken_) {
    const auto [ec, signal] = co_await signals_.async_wait(runtime::use_tuple);
    if (!ec && signal == SIGHUP) {
      // One runs; one that comes behind it sees whatever changes until it begins.
      if (signal_reloads_ < 2) {
        ++signal_reloads_;
        asio::co_spawn(signals_.get_executor(), reload_on_signal(), runtime::rethrow);
      }
    } else if (!broken_) {
      spdlog::info("stopping on SIG{}", ::sigabbrev_np(signal));
      co_return;
    }
  }
}

asio::awaitable<void> Daemon::reload_on_signal() {
  std::ignore = co_await reload();
  --signal_reloads_;
}

asio::awaitable<control::ReloadOutcome> Daemon::reload() {
  while (reloading_ && !stopping_) {
    reload_ended_.expires_at(asio::steady_timer::time_point::max());
    std::ignore = co_await reload_ended_.async_wait(runtime::use_tuple);
  }
  if (stopping_) {
    co_return refused_by_stop();
  }
  reloading_ = true;
  notifier_.reloading();
  control::ReloadOutcome outcome = co_await read_and_take_up();
  log_reload(outcome);
  if (std::holds_alternative<control::ReloadReport>(outcome)) {
    std::ignore = co_await aggregator_->set_limits(
        config_.aggregator.buffer, config_.aggregator.max_tracked, config_.aggregator.reset_after);
  }
  co_await listeners_->wait_closed();
  if (!stopping_) {
    notifier_.ready();
  }
  reloading_ = false;
  reload_ended_.cancel();
  co_return outcome;
}

asio::awaitable<control::ReloadOutcome> Daemon::read_and_take_up() {
  try {
    std::function<NewConfig()> read = [read_config = read_config_] {
      Config config = read_config();
      std::shared_ptr<LogWriter> log = open_log(config.log);
      return NewConfig{.config = std::move(config), .log = std::move(log)};
    };
    std::optional<NewConfig> next = co_await new_config_.call(std::move(read), config_patience);
    if (stopping_) {
      co_return refused_by_stop();
    }
    if (!next) {
      co_return control::ReloadRefused{fmt::format(
          "the configuration has not been read within {} s: see whether its file is a pipe, or on "
          "a file system that does not answer, or a group cannot be looked up",
          config_patience.count())};
    }
    co_return take_up(*std::move(next));
  } catch (const std::exception& error) {
    co_return control::ReloadRefused{error.what()};
  }
}

control::ReloadReport Daemon::take_up(NewConfig read) {
  if (control_->is_inherited() && read.config.control.access != config_.control.access) {
    spdlog::warn(
        "control.mode and control.group are those of the unit of the inherited control socket: "
        "what the configuration says is not applied");
    read.config.control.access = config_.control.access;
  }
  ConfigChanges changes = changes_between(config_, read.config);
  Config next = applicable(config_, std::move(read.config));
  check_sinks(next);
  Listeners::Change listeners = listeners_->prepare(next.uplinks, inherited_);
  look_for_control_socket();
  control_->set_access(next.control.access);  // makes its file again
  // Nothing fails from here on.
  set_log(std::move(read.log), next.log.level);
  listeners_->carry_out(std::move(listeners));
  control_->set_limits(next.control);
  silence_.set_limit(next.silent_after);
  housekeeping_.set_forget_after(next.forget_after);
  keep_descriptors_for_operators(next);
  config_ = std::move(next);
  look_for_control_socket();
  warn_of_open_secrets(config_);
  return {.changed = std::move(changes.applied), .needs_restart = std::move(changes.needs_restart)};
}

asio::awaitable<void> Daemon::stop_in_order() {
  new_config_.give_up();
  reload_ended_.cancel();
  listeners_->stop();
  // Sessions that wait for room must get it: nobody drains any more.
  std::ignore = co_await aggregator_->release_backpressure();
  co_await listeners_->wait_stopped();
  control_->stop();
  co_await control_->wait_stopped();
  if (http_) {
    http_->stop();
    co_await http_->wait_stopped();
  }
  for (const std::shared_ptr<runtime::Part>& each : sinks_) {
    each->stop();
  }
  for (const std::shared_ptr<runtime::Part>& each : sinks_) {
    co_await each->wait_stopped();
  }
}

asio::awaitable<void> Daemon::save_what_is_left() {
  housekeeping_.stop();
  heartbeat_.stop();
  const auto drops = co_await aggregator_->take_drop_report();
  auto last = co_await aggregator_->shut_down();
  stopped_ = true;  // a large state may take long to write
  deadline_.cancel();
  if (last) {
    log::tell_left_out(runtime::PeerLines::Clock::time_point::max());
    const Saved saved = save_state(last->saved);
    log_drops(drops ? *drops : DropReport{});
    log_end(last->stats, saved);
    if (!last->stats.ledger.balanced()) {
      spdlog::critical(
          "the ledger does not balance, which is a fault of this program: the next "
          "start begins a new one; please report it");
      exit_status_ = 1;
    }
  } else {
    spdlog::critical("the aggregator has ended before the daemon: what it had is lost");
    exit_status_ = 1;
  }
}

void Daemon::let_go() {
  notifier_.close();
  kept_running_.clear();  // the aggregator was the last work
  if (stop_ticks_ >= stop_deadline_ticks) {
    std::ranges::for_each(all_contexts(), &asio::io_context::stop);  // but for what was given up
  }
}

Daemon::Saved Daemon::save_state(const SavedState& saved) {
  if (!state_) {
    return Saved::nowhere;
  }
  try {
    state_->save(saved);
    return Saved::all;
  } catch (const std::exception& error) {
    spdlog::critical("{}; what could not be written of {} frames is lost", error.what(),
                     saved.ledger ? saved.ledger->buffered : 0);
    exit_status_ = 1;
    return Saved::not_all;
  }
}

void Daemon::watch_stop() {
  deadline_.expires_after(std::chrono::seconds(1));
  deadline_.async_wait([this](const error_code& cancelled) {
    if (cancelled || stopped_) {
      return;
    }
    ++stop_ticks_;
    if (stop_ticks_ == stop_deadline_ticks) {
      spdlog::critical("not all sessions and clients end within {} s: going on without them",
                       stop_deadline_ticks);
      exit_status_ = 1;
      listeners_->give_up();
      control_->give_up();
      if (http_) {
        http_->give_up();
      }
      std::ranges::for_each(sinks_, [](const auto& each) { each->give_up(); });
    } else if (stop_ticks_ == 2 * stop_deadline_ticks) {
      spdlog::critical("the aggregator does not end: giving up, what it has is lost");
      std::ranges::for_each(all_contexts(), &asio::io_context::stop);
    }
    watch_stop();
  });
}

}  // namespace meridian::daemon
