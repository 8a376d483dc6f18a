#include "daemon/listeners.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace meridian::daemon {

namespace {

using asio::ip::tcp;
using uplink::ListenerOptions;

tcp::endpoint endpoint_of(const ListenerOptions& options) {
  return {asio::ip::make_address(options.host), options.port};
}

asio::awaitable<void> nothing() {
  co_return;
}

bool same_address(const ListenerOptions& a, const ListenerOptions& b) {
  return endpoint_of(a) == endpoint_of(b);
}

}  // namespace

Listeners::Listeners(std::vector<asio::any_io_executor> executors, AggregatorHandle aggregator,
                     status::UplinkTable& table)
    : executors_(std::move(executors)), aggregator_(std::move(aggregator)), table_(table) {}

const Listeners::Entry* Listeners::same_listener(const ListenerOptions& options) const {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.options.name == options.name && entry.options.framing == options.framing &&
           entry.options.satellite_id == options.satellite_id;
  });
  return found == entries_.end() ? nullptr : &*found;
}

uplink::Listener::Acceptor Listeners::acceptor_for(
    const ListenerOptions& options, const service::InheritedSockets& inherited) const {
  const tcp::endpoint endpoint = endpoint_of(options);
  std::optional<int> shared = inherited.find(options.name, endpoint);
  // A listener that has the address now gives it up only after the new one has it too, so that no
  // waiting connection is lost.
  const auto holder = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return same_address(entry.options, options); });
  if (!shared && holder != entries_.end() && options.port != 0) {
    shared = holder->descriptor;
  }
  if (!shared) {
    return uplink::listen_on(executors_.front(), options);
  }
  const int copy = ::fcntl(*shared, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot copy a listening socket");
  }
  return uplink::adopt_listening(executors_.front(), endpoint.protocol(), copy);
}

Listeners::Change Listeners::prepare(const Options& next,
                                     const service::InheritedSockets& inherited) const {
  Change change;
  for (const ListenerOptions& options : next) {
    Change::Step step{.options = options, .kept = nullptr, .acceptor = std::nullopt};
    const Entry* const same = same_listener(options);
    if (same != nullptr) {
      step.kept = same->listener;
      step.descriptor = same->descriptor;
    }
    if (same == nullptr || !same_address(same->options, options)) {
      step.acceptor = acceptor_for(options, inherited);
      step.descriptor = step.acceptor->native_handle();
    }
    change.steps_.push_back(std::move(step));
  }
  return change;
}

void Listeners::carry_out(Change change) {
  std::erase_if(leaving_, [](const auto& listener) { return !listener->has_sessions(); });
  for (const Entry& entry : std::exchange(entries_, {})) {
    const auto kept = std::ranges::find(change.steps_, entry.listener, &Change::Step::kept);
    if (kept == change.steps_.end()) {
      table_.remove_listener(entry.options.name);
      entry.listener->stop(status::CloseReason::listener_removed);
      leaving_.push_back(entry.listener);
    }
  }
  for (Change::Step& step : change.steps_) {
    if (step.kept) {
      step.kept->update(step.options, std::move(step.acceptor));
    } else {
      step.kept = std::make_shared<uplink::Listener>(
          executors_, step.options, *std::move(step.acceptor), aggregator_, table_);
      step.kept->start();
    }
    entries_.push_back({std::move(step.kept), std::move(step.options), step.descriptor});
  }
}

asio::awaitable<void> Listeners::wait_closed() {
  // The executor runs one handler at a time, so this runs after everything that was dispatched
  // earlier.
  co_await asio::co_spawn(executors_.front(), nothing(), asio::use_awaitable);
}

void Listeners::stop() {
  for (const Entry& entry : entries_) {
    entry.listener->stop(status::CloseReason::stopped);
    leaving_.push_back(entry.listener);
  }
  entries_.clear();
}

void Listeners::give_up() {
  for (const auto& listener : leaving_) {
    listener->give_up();
  }
}

asio::awaitable<void> Listeners::wait_stopped() {
  for (const auto& listener : leaving_) {
    co_await listener->wait_stopped();
  }
}

}  // namespace meridian::daemon
