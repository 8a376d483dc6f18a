#include "sim/simulation.hpp"

#include "runtime/rethrow.hpp"
#include "runtime/run_on_threads.hpp"
#include "sim/progress.hpp"
#include "sim/source.hpp"
#include "sim/uplink.hpp"
#include "status/figures.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

namespace meridian::sim {

namespace {

using asio::ip::tcp;

constexpr std::size_t threads = 2;

/// How long after `--duration` the daemon still has to take what is in flight.
constexpr std::chrono::seconds grace{1};

class Simulation {
 public:
  explicit Simulation(const Options& options)
      : options_(options),
        replayed_(options.replay.empty() ? nullptr : load_packets(options.replay)),
        signals_(strand_, SIGINT, SIGTERM),
        tick_(strand_),
        deadline_(strand_),
        progress_(options, total_frames()) {}

  Result run() {
    tcp::resolver resolver(context_);
    error_code ec;
    const auto endpoints = resolver.resolve(options_.host, std::to_string(options_.port), ec);
    if (ec) {
      throw std::runtime_error(
          fmt::format("cannot resolve {}:{}: {}", options_.host, options_.port, ec.message()));
    }
    const auto started_at = Uplink::Clock::now();
    start(endpoints);
    runtime::run_on_threads(
        std::vector<asio::io_context*>(std::max<std::size_t>(threads, 1), &context_));
    progress_.clear();
    const std::chrono::duration<double> elapsed = ended_at_ - started_at;
    return result(elapsed.count());
  }

 private:
  [[nodiscard]] std::optional<std::uint64_t> total_frames() const {
    if (!options_.frames) {
      return std::nullopt;
    }
    return *options_.frames * options_.uplinks;
  }

  void start(const tcp::resolver::results_type& endpoints) {
    for (std::size_t i = 0; i < options_.uplinks; ++i) {
      const asio::any_io_executor strand = asio::make_strand(context_);
      uplinks_.push_back(
          std::make_shared<Uplink>(strand, options_, make_source(options_, i, replayed_), totals_));
      asio::co_spawn(strand, uplinks_.back()->run(endpoints),
                     [this](const std::exception_ptr& error) {
                       runtime::rethrow(error);
                       if (totals_.done.load(std::memory_order_relaxed) == options_.uplinks) {
                         asio::post(strand_, [this] { finish(); });
                       }
                     });
    }
    stop_on_signal();
    stop_after_duration();
    redraw();
  }

  void stop_on_signal() {
    signals_.async_wait([this](const error_code& cancelled, int /*signal*/) {
      if (!cancelled) {
        stop_uplinks("stopped before everything was sent");
      }
    });
  }

  /// Stops the uplinks that the daemon holds back when the time is over. The others end on their
  /// own.
  void stop_after_duration() {
    if (!options_.duration) {
      return;
    }
    deadline_.expires_after(
        std::chrono::duration_cast<Uplink::Clock::duration>(*options_.duration) + grace);
    deadline_.async_wait([this](const error_code& cancelled) {
      if (!cancelled && !finished_) {
        stop_uplinks("held back when the time was up: the daemon did not accept everything");
      }
    });
  }

  void stop_uplinks(const std::string& why) {
    for (const auto& uplink : uplinks_) {
      uplink->stop(why);
    }
  }

  void redraw() {
    tick_.expires_after(redraw_every);
    tick_.async_wait([this](const error_code& cancelled) {
      // `finish` cannot cancel a tick whose handler is already queued.
      if (!cancelled && !finished_) {
        progress_.draw(totals_);
        redraw();
      }
    });
  }

  void finish() {
    if (!finished_) {
      finished_ = true;
      ended_at_ = Uplink::Clock::now();
      tick_.cancel();
      deadline_.cancel();
      signals_.cancel();
    }
  }

  [[nodiscard]] Result result(double seconds) const {
    Result result{.frames = totals_.frames.load(),
                  .octets = totals_.octets.load(),
                  .seconds = seconds,
                  .held_seconds = static_cast<double>(totals_.held_ns.load()) / 1e9,
                  .uplinks = options_.uplinks,
                  .failures = {}};
    for (const auto& uplink : uplinks_) {
      if (!uplink->failure().empty()) {
        result.failures.push_back(uplink->failure());
      }
    }
    return result;
  }

  const Options& options_;
  std::shared_ptr<const std::vector<std::byte>> replayed_;
  asio::io_context context_{static_cast<int>(threads)};
  asio::strand<asio::io_context::executor_type> strand_{asio::make_strand(context_)};
  // On strand_.
  asio::signal_set signals_;
  asio::steady_timer tick_;
  asio::steady_timer deadline_;
  Progress progress_;

  Totals totals_;
  std::vector<std::shared_ptr<Uplink>> uplinks_;
  bool finished_ = false;
  Uplink::Clock::time_point ended_at_;
};

}  // namespace

Result simulate(const Options& options) {
  return Simulation(options).run();
}

std::string to_text(const Result& result) {
  const double seconds = std::max(result.seconds, 1e-9);
  return fmt::format(
      "sent {} frames, {}, by {} uplinks in {:.2f} s\n"
      "rate: {:.2f} M frames/s, {}/s\n"
      "held back: {:.2f} s an uplink on average, {:.0f} % of the time\n",
      status::with_separators(result.frames), status::octets_for_people(result.octets),
      result.uplinks, result.seconds, static_cast<double>(result.frames) / seconds / 1e6,
      status::octets_for_people(
          static_cast<std::uint64_t>(static_cast<double>(result.octets) / seconds)),
      result.held_seconds / static_cast<double>(result.uplinks),
      100 * result.held_seconds / static_cast<double>(result.uplinks) / seconds);
}

std::vector<std::string> failures_of(const Result& result) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& failure : result.failures) {
    ++counts[failure];
  }
  std::vector<std::string> failures;
  failures.reserve(counts.size());
  for (const auto& [failure, count] : counts) {
    failures.push_back(fmt::format("{} of {} uplinks: {}", count, result.uplinks, failure));
  }
  return failures;
}

std::string to_json(const Result& result) {
  const double seconds = std::max(result.seconds, 1e-9);
  const nlohmann::ordered_json json = {
      {"frames", result.frames},
      {"bytes", result.octets},
      {"seconds", result.seconds},
      {"frames_per_s", static_cast<double>(result.frames) / seconds},
      {"bytes_per_s", static_cast<double>(result.octets) / seconds},
      {"held_s", result.held_seconds},
      {"uplinks", result.uplinks},
      {"failures", result.failures}};
  return json.dump() + "\n";
}

}  // namespace meridian::sim
