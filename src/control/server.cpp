#include "control/server.hpp"

#include "control/role.hpp"
#include "runtime/accept_loop.hpp"
#include "runtime/client_places.hpp"
#include "runtime/faults.hpp"
#include "runtime/log.hpp"
#include "runtime/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/strand.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/stat.h>

namespace meridian::control {

namespace {

using asio::local::stream_protocol;

stream_protocol::acceptor listen(const asio::any_io_executor& executor,
                                 std::optional<SocketFile>& file, std::optional<int> inherited) {
  if (file) {
    return file->listen(executor);
  }
  return {executor, stream_protocol(), inherited.value()};
}

constexpr mode_t others_may_write = 0002;

void warn_if_open_to_all(const Access& access) {
  if ((access.mode & others_may_write) != 0 && !access.read_only_group) {
    runtime::log::warn({{"reason", "open_to_all"}},
                       "control.mode {:04o} lets every user of this machine drain, flush and "
                       "reload: set a mode without permissions for others, and let users in by "
                       "group (control.group, control.read_only_group)",
                       access.mode);
  }
}

/// The mode of an inherited socket is that of its file, which is set in its unit.
void warn_if_inherited_is_open_to_all(const std::string& path, const Access& access) {
  constexpr mode_t permissions = 07777;
  struct stat status{};
  const bool is_abstract = path.empty() || path.front() == '\0';
  if (access.read_only_group || is_abstract || ::lstat(path.c_str(), &status) != 0 ||
      (status.st_mode & others_may_write) == 0) {
    return;
  }
  runtime::log::warn({{"reason", "open_to_all"}},
                     "mode {:04o} of the inherited control socket {} lets every user of this "
                     "machine drain, flush and reload: set SocketMode= and SocketGroup= in its "
                     "unit, or control.read_only_group",
                     status.st_mode & permissions, path);
}

}  // namespace

Server::Server(const asio::any_io_executor& executor, const ServerOptions& options,
               std::optional<int> inherited, Services services)
    : executor_(executor),
      strand_(asio::make_strand(executor)),
      max_clients_(options.max_clients),
      access_(options.access),
      file_(inherited ? std::nullopt
                      : std::optional<SocketFile>(std::in_place, options.socket, options.access)),
      acceptor_(listen(strand_, file_, inherited)),
      counters_(services.sources.control_clients),
      context_(std::make_shared<Context>(std::move(services), options.max_request_bytes,
                                         options.idle_timeout)),
      clients_(executor) {
  path_ = acceptor_.local_endpoint().path();
  spdlog::info("control socket is {}{}", path_, inherited ? " (inherited)" : "");
  if (file_) {
    warn_if_open_to_all(options.access);
  } else {
    warn_if_inherited_is_open_to_all(path_, options.access);
  }
}

void Server::start() {
  asio::co_spawn(
      strand_,
      runtime::accept_all(
          acceptor_, [this] { return asio::make_strand(executor_); }, runtime::FaultOf::control,
          "control socket", [this](Socket socket) { open_client(std::move(socket)); }),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
}

void Server::set_access(const Access& access) {
  if (file_) {
    if (!file_->is_there()) {
      asio::dispatch(
          strand_, [self = shared_from_this(), acceptor = file_->listen_again(strand_)]() mutable {
            if (self->acceptor_.is_open()) {
              self->acceptor_ = std::move(acceptor);  // closes the old one; the accept loop goes on
            }
          });
    }
    file_->set_access(access);
    warn_if_open_to_all(access);
  } else {
    warn_if_inherited_is_open_to_all(path_, access);
  }
  asio::dispatch(strand_, [self = shared_from_this(), access] { self->access_ = access; });
}

bool Server::has_its_file() const {
  if (file_) {
    return file_->is_there();
  }
  struct stat status{};
  const bool is_abstract = path_.empty() || path_.front() == '\0';
  return is_abstract || (::lstat(path_.c_str(), &status) == 0 && S_ISSOCK(status.st_mode));
}

void Server::set_limits(const ServerOptions& options) {
  asio::dispatch(strand_, [self = shared_from_this(), options] {
    self->max_clients_ = options.max_clients;
    self->context_->max_request_bytes = options.max_request_bytes;
    self->context_->idle_timeout = options.idle_timeout;
  });
}

void Server::stop() {
  asio::dispatch(strand_, [self = shared_from_this()] {
    if (self->file_) {
      self->file_->remove();
    }
    error_code ignored;
    self->acceptor_.close(ignored);
  });
  clients_.stop();
}

void Server::open_client(Socket socket) {
  const Peer peer = peer_of(socket);
  const Role role = role_of(peer, access_);
  // This check is first, so that a client without access never makes another one give way.
  if (role == Role::none) {
    refuse_stranger(socket, peer);
    return;
  }
  if (!find_place(role)) {
    refuse_for_limit(socket);
    return;
  }
  const auto executor = socket.get_executor();
  auto client = std::make_shared<ClientSession>(std::move(socket), context_, peer, role);
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

bool Server::find_place(Role role) {
  // A client with full access gets a place, however many readers there are.
  const auto readers =
      runtime::clients_to_displace(clients_, max_clients_, [role](const ClientSession& client) {
        return role == Role::full && client.role() == Role::reader;
      });
  if (!readers) {
    return false;
  }
  for (const std::shared_ptr<ClientSession>& reader : *readers) {
    reader->leave_place();
  }
  return true;
}

void Server::refuse_stranger(Socket& socket, const Peer& peer) {
  counters_.cut_off(status::CutOff::not_allowed);
  runtime::log::limited(
      spdlog::level::warn, "control clients cut off: not_allowed",
      {{"reason", "not_allowed"},
       {"uid", std::to_string(peer.uid)},
       {"pid", std::to_string(peer.pid)}},
      "control client cut off: uid {} is in neither control.group nor control.read_only_group",
      peer.uid);
  turn_away(socket, {ErrorCode::not_allowed,
                     fmt::format("uid {} may not use this socket: ask to be added to the group "
                                 "that control.group or control.read_only_group names",
                                 peer.uid)});
}

void Server::refuse_for_limit(Socket& socket) {
  counters_.cut_off(status::CutOff::client_limit);
  if (const auto held_back = limit_log_.admit(runtime::LogLimit::Clock::now())) {
    spdlog::warn(
        "control client turned away: {} are connected, as many as control.max_clients allows "
        "({} more since the last message)",
        max_clients_, *held_back);
  }
  turn_away(socket, {ErrorCode::too_many_clients,
                     fmt::format("{} clients are connected already: try again later, or raise "
                                 "control.max_clients",
                                 max_clients_)});
  // The next attempt may then find a place, however long control.idle_timeout_s is.
  clients_.for_each([](ClientSession& client) { client.give_way(); });
}

void Server::close_client(const std::shared_ptr<ClientSession>& client) {
  counters_.closed();
  clients_.remove(client);
}

void Server::turn_away(Socket& socket, const Error& why) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  // The buffer of a new socket has room for this.
  socket.write_some(asio::buffer(encode_error(why)), ignored);
}

asio::awaitable<void> Server::run_client(std::shared_ptr<Server> server,
                                         std::shared_ptr<ClientSession> client) {
  try {
    co_await client->run();
  } catch (...) {
    runtime::Faults::of_process().note(runtime::FaultOf::control, "control client",
                                       std::current_exception());
  }
  server->close_client(client);
}

}  // namespace meridian::control
