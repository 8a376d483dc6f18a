#include "uplink/listener.hpp"

#include "runtime/accept_loop.hpp"
#include "runtime/faults.hpp"
#include "runtime/host_port.hpp"
#include "runtime/log.hpp"
#include "runtime/rethrow.hpp"
#include "uplink/clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace meridian::uplink {

namespace log = runtime::log;
using asio::ip::tcp;

tcp::acceptor adopt_listening(const asio::any_io_executor& executor, const tcp& protocol,
                              int descriptor) {
  tcp::acceptor acceptor(executor);
  boost::system::error_code failed;
  acceptor.assign(protocol, descriptor, failed);
  if (failed) {
    ::close(descriptor);
    throw boost::system::system_error(failed);
  }
  return acceptor;
}

tcp::acceptor listen_on(const asio::any_io_executor& executor, const ListenerOptions& options) {
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(options.host), options.port);
    tcp::acceptor acceptor(executor);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
    return adopt_listening(executor, endpoint.protocol(), acceptor.release());
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format(
        "uplink listener \"{}\" cannot listen on {}:{}: {}; free the address or change its listen",
        options.name, options.host, options.port, error.code().message()));
  }
}

Listener::Listener(const std::vector<asio::any_io_executor>& executors, ListenerOptions options,
                   Acceptor acceptor, AggregatorHandle aggregator, status::UplinkTable& table)
    : acceptor_(std::move(acceptor)),
      options_(std::make_shared<const ListenerOptions>(std::move(options))),
      aggregator_(std::move(aggregator)),
      table_(table),
      sessions_(executors.front()) {
  for (const asio::any_io_executor& executor : executors) {
    threads_.push_back({executor, std::make_shared<Turns>(executor, 1)});
  }
  announce(*options_, acceptor_);
}

void Listener::announce(const ListenerOptions& options, const Acceptor& acceptor) {
  const tcp::endpoint endpoint = acceptor.local_endpoint();
  const std::string address = runtime::to_text(endpoint);
  table_.set_listener({options.name, std::string(name_of(options.framing)), address});
  log::info({{"listener", options.name}}, "listening on {} for {} uplinks ({})", address,
            name_of(options.framing), options.name);
  if (!endpoint.address().is_loopback()) {
    log::warn({{"listener", options.name}, {"reason", "not_loopback"}},
              "uplink listener \"{}\" can be reached from other machines on {}: anyone who can "
              "connect can send frames, and connections are neither encrypted nor authenticated",
              options.name, address);
  }
}

void Listener::start() {
  asio::co_spawn(
      executor(),
      runtime::accept_all(
          acceptor_, [this] { return threads_[next_thread_].executor; }, runtime::FaultOf::uplink,
          fmt::format("uplink listener \"{}\"", options_->name),
          [this](tcp::socket socket) {
            open_session(std::move(socket), threads_[next_thread_]);
            next_thread_ = (next_thread_ + 1) % threads_.size();
          },
          runtime::Descriptors::those_to_spare),
      [self = shared_from_this()](const std::exception_ptr& error) { runtime::rethrow(error); });
}

void Listener::update(ListenerOptions options, std::optional<Acceptor> acceptor) {
  if (acceptor) {
    announce(options, *acceptor);
  }
  asio::dispatch(executor(), [self = shared_from_this(),
                              next = std::make_shared<const ListenerOptions>(std::move(options)),
                              acceptor = std::move(acceptor)]() mutable {
    self->options_ = next;
    self->sessions_.for_each([&next](Session& session) { session.set_options(next); });
    if (acceptor && self->acceptor_.is_open()) {
      self->acceptor_ = *std::move(acceptor);  // closes the old one; the accept loop goes on
    }
  });
}

void Listener::stop(status::CloseReason reason) {
  asio::dispatch(executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
  });
  sessions_.for_each([reason](Session& session) { session.stop(reason); });
  sessions_.stop();
}

void Listener::open_session(tcp::socket socket, const ThreadOfSessions& thread) {
  error_code gone;
  const tcp::endpoint endpoint = socket.remote_endpoint(gone);
  std::string peer = gone ? "a peer that has already disconnected" : runtime::to_text(endpoint);
  auto record = table_.open(options_->name, std::move(peer), now());

  if (open_sessions_.load(std::memory_order_relaxed) >= options_->max_sessions) {
    refuse(socket, record);
    return;
  }
  try {
    run_session(std::move(socket), thread, record);
  } catch (...) {
    table_.close(record, status::CloseReason::fault, now());
    throw;
  }
}

void Listener::refuse(tcp::socket& socket, const std::shared_ptr<status::UplinkRecord>& record) {
  table_.close(record, status::CloseReason::session_limit, now());
  if (const auto held_back = limit_log_.admit(runtime::LogLimit::Clock::now())) {
    log::warn(
        {{"listener", options_->name},
         {"peer", record->peer()},
         {"reason", std::string(name_of(status::CloseReason::session_limit))}},
        "uplink listener \"{}\" turned away {}: {} sessions are open, as many as max_sessions "
        "allows ({} more since the last message)",
        options_->name, record->peer(), options_->max_sessions, *held_back);
  }
  // Resets the connection: a peer that has sent everything would take an end of stream for success.
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

void Listener::run_session(tcp::socket socket, const ThreadOfSessions& thread,
                           const std::shared_ptr<status::UplinkRecord>& record) {
  log::limited(spdlog::level::info,
               fmt::format("uplinks of listener \"{}\": connected", options_->name),
               {{"uplink", std::to_string(record->id())},
                {"listener", options_->name},
                {"peer", record->peer()}},
               "uplink {} ({}) from {} connected", record->id(), options_->name, record->peer());
  auto session = std::make_shared<Session>(std::move(socket), options_, *thread.turns, aggregator_,
                                           table_, record);
  if (!sessions_.add(session)) {
    table_.close(record, status::CloseReason::stopped, now());
    return;
  }
  const auto ended = [this, session] {
    open_sessions_.fetch_sub(1, std::memory_order_relaxed);
    sessions_.remove(session);
  };
  open_sessions_.fetch_add(1, std::memory_order_relaxed);
  try {
    asio::co_spawn(thread.executor, session->run(),
                   [session, ended, self = shared_from_this()](const std::exception_ptr& error) {
                     if (error) {
                       session->fail(error);
                     }
                     ended();
                   });
  } catch (...) {
    ended();
    throw;
  }
}

}  // namespace meridian::uplink
