#include "http/server.hpp"

#include "http/make_server.hpp"
#include "runtime/accept_loop.hpp"
#include "runtime/client_places.hpp"
#include "runtime/faults.hpp"
#include "runtime/host_port.hpp"
#include "runtime/log.hpp"
#include "runtime/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fcntl.h>

namespace meridian::http {

namespace {

using asio::ip::tcp;

tcp::acceptor listen(const asio::any_io_executor& executor, const ServerOptions& options,
                     std::optional<int> inherited) {
  try {
    if (inherited) {
      const int copy = ::fcntl(*inherited, F_DUPFD_CLOEXEC, 0);
      if (copy < 0) {
        throw boost::system::system_error(errno, boost::system::system_category());
      }
      return {executor, options.listen->protocol(), copy};
    }
    return {executor, options.listen.value()};
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("http.listen: cannot listen on {}: {}",
                                         runtime::to_text(*options.listen),
                                         error.code().message()));
  }
}

constexpr std::string_view too_many_clients =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Connection: close\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\r\n"
    "the server has too many clients: raise http.max_clients\n";

}  // namespace

Server::Server(const asio::any_io_executor& executor, const ServerOptions& options,
               std::optional<int> inherited, const status::Sources& sources)
    : executor_(executor),
      acceptor_(listen(asio::make_strand(executor), options, inherited)),
      live_(std::make_shared<Live>(executor, sources)),
      context_(std::make_shared<Context>(sources, counters_, live_, options)),
      clients_(executor) {
  const tcp::endpoint endpoint = acceptor_.local_endpoint();
  const std::string address = runtime::to_text(endpoint);
  spdlog::info("listening on {} for HTTP clients", address);
  if (!endpoint.address().is_loopback()) {
    runtime::log::warn({{"listener", "http"}, {"reason", "not_loopback"}},
                       "other machines can reach the HTTP server on {}: anyone who connects can "
                       "read all figures, and nothing is encrypted",
                       address);
  }
}

void Server::start() {
  live_->start();
  asio::co_spawn(
      acceptor_.get_executor(),
      runtime::accept_all(
          acceptor_, [this] { return asio::make_strand(executor_); }, runtime::FaultOf::http,
          "HTTP server", [this](tcp::socket socket) { open_client(std::move(socket)); }),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
}

void Server::stop() {
  asio::dispatch(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
  });
  live_->stop();
  clients_.stop();
}

void Server::open_client(tcp::socket socket) {
  const std::optional<Place> place = find_place();
  if (!place) {
    refuse(socket);
    return;
  }
  const auto executor = socket.get_executor();
  auto client = std::make_shared<Session>(std::move(socket), context_, *place);
  if (clients_.add(client)) {
    counters_.opened();
    try {
      asio::co_spawn(executor, run_client(shared_from_this(), client), runtime::rethrow);
    } catch (...) {
      close_client(client);
      throw;
    }
  }
}

std::optional<Place> Server::find_place() {
  const std::size_t most = context_->options.max_clients;
  if (clients_.size() < most) {
    return Place::ordinary;
  }
  // Closes connections on which nothing arrives: they would keep probes and scrapes out.
  const auto silent = runtime::clients_to_displace(
      clients_, most + reserved_places, [](const Session& client) { return !client.has_asked(); });
  if (!silent) {
    return std::nullopt;
  }
  for (const std::shared_ptr<Session>& client : *silent) {
    counters_.refused();
    log_limit_reached();
    client->leave_place();
  }
  return Place::reserved;
}

void Server::refuse(tcp::socket& socket) {
  counters_.refused();
  log_limit_reached();
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(too_many_clients), ignored);  // its buffer has room
}

void Server::log_limit_reached() {
  if (const auto held_back = limit_log_.admit(runtime::LogLimit::Clock::now())) {
    spdlog::warn(
        "HTTP client turned away: all places are in use, {} of http.max_clients and {} that are "
        "reserved for probes ({} more since the last message)",
        context_->options.max_clients, reserved_places, *held_back);
  }
}

void Server::close_client(const std::shared_ptr<Session>& client) {
  counters_.closed();
  clients_.remove(client);
}

asio::awaitable<void> Server::run_client(std::shared_ptr<Server> server,
                                         std::shared_ptr<Session> client) {
  try {
    co_await client->run();
  } catch (...) {
    runtime::Faults::of_process().note(runtime::FaultOf::http, "HTTP client",
                                       std::current_exception());
    client->stop();
  }
  server->close_client(client);
}

std::shared_ptr<runtime::Part> make_server(const asio::any_io_executor& executor,
                                           const ServerOptions& options,
                                           std::optional<int> inherited,
                                           const status::Sources& sources) {
  return std::make_shared<Server>(executor, options, inherited, sources);
}

}  // namespace meridian::http
