#include "nats/connection.hpp"

#include "nats/session.hpp"
#include "runtime/pauses.hpp"

#include <condition_variable>
#include <random>
#include <utility>

namespace meridian::nats {

namespace {

/// Waits until the time is over or a stop is requested.
void pause(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

Connection::Connection(ConnectOptions options, const asio::any_io_executor& executor,
                       OnChange on_change)
    : options_(std::move(options)),
      on_change_(std::make_shared<Outlet<ConnectionState>>(executor, std::move(on_change))),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Connection::~Connection() {
  on_change_->close();
  // The destructor of `thread_` requests the stop and joins.
}

std::shared_ptr<Session> Connection::session() const {
  const std::lock_guard lock(mutex_);
  return session_;
}

ConnectionState Connection::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Connection::change(std::shared_ptr<Session> session, ConnectionState state) {
  {
    const std::lock_guard lock(mutex_);
    std::swap(session_, session);
    state_ = state;
  }
  on_change_->post(std::move(state));
  // A former session is destroyed here, without the lock, since its destructor may wait.
}

void Connection::run(const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  runtime::Pauses pauses(std::random_device{}());
  while (!stop.stop_requested()) {
    Result<std::shared_ptr<Session>> connected = Session::connect(options_, stop);
    bool lasted = false;
    if (connected) {
      const std::shared_ptr<Session> session = std::move(*connected);
      const auto since = Clock::now();
      change(session, Connected{session->server()});
      session->serve(stop);
      lasted = Clock::now() - since >= steady;
      change(nullptr, session->inbox()->lost().value());
    } else if (!stop.stop_requested()) {
      change(nullptr, connected.error());
    }
    if (lasted) {
      pauses.reset();
    } else {
      pause(pauses.next(), stop);
    }
  }
  nats_ReleaseThreadMemory();
}

}  // namespace meridian::nats
