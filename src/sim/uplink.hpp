/// One simulated uplink.
#pragma once

#include "sim/options.hpp"
#include "sim/source.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace meridian::sim {

namespace asio = boost::asio;
using boost::system::error_code;

/// What all uplinks have done so far. Thread-safe.
struct Totals {
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> octets{0};
  std::atomic<std::uint64_t> held_ns{0};  ///< time for which writes waited, summed over uplinks
  std::atomic<std::uint64_t> done{0};     ///< uplinks that have ended, well or not
};

/// Connects, sends its frames, half-closes, and waits until the daemon has taken everything and
/// closes the connection. Runs on one strand; only `stop` may be called from elsewhere.
class Uplink : public std::enable_shared_from_this<Uplink> {
 public:
  using Clock = std::chrono::steady_clock;

  Uplink(const asio::any_io_executor& strand, const Options& options,
         std::unique_ptr<Source> source, Totals& totals);

  /// Runs to the end. After that, `failure` says whether everything was sent and taken.
  [[nodiscard]] asio::awaitable<void> run(asio::ip::tcp::resolver::results_type endpoints);

  /// Ends the connection, in the middle of a frame if need be. `failure` then returns `why`.
  void stop(const std::string& why);

  /// Why the uplink has not done everything that `options` asked for, or "".
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  [[nodiscard]] asio::awaitable<void> connect(asio::ip::tcp::resolver::results_type endpoints);
  [[nodiscard]] asio::awaitable<void> send_all();
  [[nodiscard]] asio::awaitable<std::uint64_t> wait_until_due();
  [[nodiscard]] asio::awaitable<void> write(Chunk chunk);
  [[nodiscard]] asio::awaitable<void> wait_until_taken();

  [[nodiscard]] bool time_is_over() const;
  void fail(const std::string& what, const error_code& ec);

  const Options& options_;
  std::unique_ptr<Source> source_;
  Totals& totals_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  Clock::time_point started_at_;
  std::uint64_t sent_ = 0;
  std::optional<std::string> stopped_;  // why `stop` was called; no value: it was not
  std::string failure_;
};

}  // namespace meridian::sim
