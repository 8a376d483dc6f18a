/// Tells all watching clients what is new, once a second.
#pragma once

#include "http/peak_window.hpp"
#include "http/snapshot.hpp"
#include "status/sources.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace meridian::http {

namespace asio = boost::asio;

/// Keeps the history of the last minutes. While there are watchers, makes one snapshot a second for
/// all of them, in the format of server-sent events.
///
/// Runs on a strand of its own; all members may be called from any thread. Must be held by a
/// shared_ptr; `sources` must outlive it.
class Live : public std::enable_shared_from_this<Live> {
 public:
  using Text = std::shared_ptr<const std::string>;

  static constexpr std::size_t history_points = 300;  // one a second

  Live(const asio::any_io_executor& executor, const status::Sources& sources);

  void start();
  void stop();

  /// The highest levels of the last minute, the same for all callers. Fails as the aggregator does.
  [[nodiscard]] asio::awaitable<boost::system::result<aggregator::Peaks>> peaks();

  /// The event "history".
  [[nodiscard]] asio::awaitable<Text> history();

  /// Waits for the next event "snapshot"; nothing after `stop`.
  [[nodiscard]] asio::awaitable<Text> next_snapshot();

 private:
  // On the strand.
  [[nodiscard]] static asio::awaitable<void> run(std::shared_ptr<Live> live);
  [[nodiscard]] static asio::awaitable<Text> make_history(std::shared_ptr<Live> live);
  [[nodiscard]] static asio::awaitable<Text> wait_for_snapshot(std::shared_ptr<Live> live);
  [[nodiscard]] static asio::awaitable<boost::system::result<aggregator::Peaks>> add_peaks(
      std::shared_ptr<Live> live);
  [[nodiscard]] asio::awaitable<void> look();
  [[nodiscard]] asio::awaitable<void> make_snapshot(status::Stats stats, ReceiveTime now);

  const status::Sources& sources_;
  asio::steady_timer tick_;
  asio::steady_timer changed_;  // never expires: cancelled to wake all waiters for a new snapshot
  std::deque<HistoryPoint> points_;
  PeakWindow peaks_;
  Text latest_;
  std::size_t waiting_ = 0;
  bool stopped_ = false;
};

}  // namespace meridian::http
