/// Accepts connections, and goes on after every failure.
#pragma once

#include "runtime/faults.hpp"
#include "runtime/log.hpp"
#include "runtime/log_limit.hpp"
#include "runtime/process_limits.hpp"
#include "runtime/use_tuple.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <tuple>
#include <utility>

namespace meridian::runtime {

namespace asio = boost::asio;

template <typename Protocol>
using Acceptor = asio::basic_socket_acceptor<Protocol>;

/// When there is no file descriptor left, `accept` fails again at once. Without a pause the loop
/// would spin.
inline constexpr std::chrono::milliseconds accept_pause{150};

/// Which descriptors of the process a listener may use: all of them, or only those that are not
/// reserved (`keep_descriptors`).
enum class Descriptors : std::uint8_t { all, those_to_spare };

/// Passes each new socket to `on_socket`, until the acceptor is closed. `next_executor` returns the
/// executor for each socket. If another acceptor is assigned to `acceptor` meanwhile, the loop
/// continues with that one. Logs failures under `name`, at most one a second. If `on_socket`
/// throws, counts that as a fault of `kind`, and goes on to the next socket. Runs on the acceptor's
/// executor.
template <typename Protocol, typename NextExecutor, typename OnSocket>
asio::awaitable<void> accept_all(asio::basic_socket_acceptor<Protocol>& acceptor,
                                 NextExecutor next_executor, FaultOf kind, std::string name,
                                 OnSocket on_socket, Descriptors descriptors = Descriptors::all) {
  asio::steady_timer timer(acceptor.get_executor());
  LogLimit limit;
  while (acceptor.is_open()) {
    if (descriptors == Descriptors::those_to_spare) {
      // Checks only once a client is waiting, since a descriptor may have become free by then.
      const auto [gone] = co_await acceptor.async_wait(Acceptor<Protocol>::wait_read, use_tuple);
      if (!gone && !has_descriptor_to_spare(acceptor.native_handle())) {
        if (const auto held_back = limit.admit(LogLimit::Clock::now())) {
          log::error({{"listener", name}, {"reason", "no_descriptors"}},
                     "{} cannot accept: the only file descriptors left are reserved for control "
                     "and HTTP clients; raise the limit of open files (LimitNOFILE of "
                     "meridiand.service) ({} more since the last message)",
                     name, *held_back);
        }
        timer.expires_after(accept_pause);
        std::ignore = co_await timer.async_wait(use_tuple);
        continue;
      }
    }
    auto [ec, socket] = co_await acceptor.async_accept(next_executor(), use_tuple);
    if (!ec) {
      try {
        on_socket(typename Protocol::socket(std::move(socket)));
      } catch (...) {
        Faults::of_process().note(kind, name + ": a new connection", std::current_exception());
      }
      continue;
    }
    if (!acceptor.is_open() || ec == asio::error::connection_aborted ||
        ec == asio::error::operation_aborted) {
      continue;
    }
    if (const auto held_back = limit.admit(LogLimit::Clock::now())) {
      log::error({{"listener", name}, {"reason", ec.message()}},
                 "{} cannot accept: {} ({} more since the last message)", name, ec.message(),
                 *held_back);
    }
    timer.expires_after(accept_pause);
    std::ignore = co_await timer.async_wait(use_tuple);
  }
}

}  // namespace meridian::runtime
