#include "control/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace meridian::control {

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// With the file descriptors used up `accept` fails again at once: without a pause it would spin.
constexpr std::chrono::milliseconds accept_pause{150};

/// A client session has no exceptions of its own: what comes here is a bug or the end of memory.
void stop_program(const std::exception_ptr& error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace

Server::Server(const asio::any_io_executor& executor, const ServerOptions& options,
               AggregatorHandle aggregator, status::UplinkTable& uplinks)
    : executor_(executor),
      max_clients_(options.max_clients),
      file_(options.socket, options.mode),
      acceptor_(file_.listen(asio::make_strand(executor))),
      context_(
          std::make_shared<const Context>(Context{.aggregator = std::move(aggregator),
                                                  .uplinks = uplinks,
                                                  .counters = counters_,
                                                  .started_at = std::chrono::steady_clock::now(),
                                                  .max_request_bytes = options.max_request_bytes})),
      clients_(executor) {
  spdlog::info("control socket is {}", file_.path());
}

void Server::start() {
  asio::co_spawn(
      acceptor_.get_executor(), accept_all(),
      [self = shared_from_this()](const std::exception_ptr& error) { stop_program(error); });
}

void Server::stop() {
  asio::dispatch(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
  });
  clients_.stop();
}

asio::awaitable<void> Server::accept_all() {
  while (acceptor_.is_open()) {
    auto [ec, socket] = co_await acceptor_.async_accept(asio::make_strand(executor_), use_tuple);
    if (!ec) {
      open_client(Socket(std::move(socket)));
    } else if (acceptor_.is_open() && ec != asio::error::connection_aborted) {
      co_await pause_after(ec);
    }
  }
}

asio::awaitable<void> Server::pause_after(error_code ec) {
  if (const auto held_back = accept_log_.admit(status::LogLimit::Clock::now())) {
    spdlog::error("control socket cannot accept: {} ({} more since the last message)", ec.message(),
                  *held_back);
  }
  asio::steady_timer timer(acceptor_.get_executor(), accept_pause);
  std::ignore = co_await timer.async_wait(use_tuple);
}

void Server::open_client(Socket socket) {
  if (clients_.size() >= max_clients_) {
    counters_.cut_off(status::CutOff::client_limit);
    if (const auto held_back = limit_log_.admit(status::LogLimit::Clock::now())) {
      spdlog::warn(
          "control client refused: there are {}, as many as control.max_clients allows "
          "({} more since the last message)",
          max_clients_, *held_back);
    }
    const std::string refusal = encode_error(
        {ErrorCode::too_many_clients,
         fmt::format("there are {} clients already: try again later, or raise control.max_clients",
                     max_clients_)});
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(refusal), ignored);  // a new socket has room for it
    return;
  }
  const auto executor = socket.get_executor();
  auto client = std::make_shared<ClientSession>(std::move(socket), context_);
  if (clients_.add(client)) {
    counters_.opened();
    asio::co_spawn(executor, run_client(shared_from_this(), std::move(client)), stop_program);
  }
}

asio::awaitable<void> Server::run_client(std::shared_ptr<Server> server,
                                         std::shared_ptr<ClientSession> client) {
  co_await client->run();
  server->counters_.closed();
  server->clients_.remove(client);
}

}  // namespace meridian::control
