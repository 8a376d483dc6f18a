#include "aggregator/port.hpp"
#include "runtime/rethrow.hpp"

#include <meridian/tail.hpp>

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace meridian::inline v2 {

struct Tail::Watch {
  std::shared_ptr<const AggregatorHandle::Port> port;
  aggregator::Tails::Id id;
};

asio::awaitable<boost::system::result<TailPiece>> Tail::next() {
  return AggregatorHandle::Port::ask<request::NextOfTail>(watch_->port, watch_->id);
}

void Tail::end() const {
  asio::co_spawn(watch_->port->executor,
                 AggregatorHandle::Port::tell<request::EndTail>(watch_->port, watch_->id),
                 [](const std::exception_ptr& error, error_code) {
                   // It fails only if there is no aggregator, and so nothing to watch.
                   runtime::rethrow(error);
                 });
}

Tail::~Tail() {
  if (watch_) {
    end();
  }
}

asio::awaitable<AggregatorHandle::Result<Tail>> AggregatorHandle::Port::tail(
    std::shared_ptr<const Port> port, TailQuery query) {
  const auto id = co_await ask<request::BeginTail>(port, query);
  if (!id) {
    co_return id.error();
  }
  co_return Tail(std::make_shared<const Tail::Watch>(Tail::Watch{.port = port, .id = *id}));
}

}  // namespace meridian::inline v2
