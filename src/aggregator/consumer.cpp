#include "aggregator/port.hpp"

#include <meridian/consumer.hpp>

#include <utility>

namespace meridian::inline v1 {

asio::awaitable<boost::system::result<Resumed>> Consumer::resume() {
  return AggregatorHandle::Port::ask<request::Resume>(port_, id_);
}

asio::awaitable<boost::system::result<std::vector<BufferedBatch>>> Consumer::next(
    std::size_t max_bytes) {
  return AggregatorHandle::Port::ask<request::ReadNext>(port_, id_, max_bytes);
}

asio::awaitable<error_code> Consumer::acknowledge(std::vector<PlaceRange> batches) {
  return AggregatorHandle::Port::tell<request::Acknowledge>(port_, id_, std::move(batches));
}

asio::awaitable<error_code> Consumer::suspend(std::vector<Attempt> attempts) {
  return AggregatorHandle::Port::tell<request::Suspend>(port_, id_, std::move(attempts));
}

asio::awaitable<AggregatorHandle::Result<Consumer>> AggregatorHandle::Port::consume(
    std::shared_ptr<const Port> port, std::string name) {
  const auto found = co_await ask<request::Consume>(port, std::move(name));
  if (!found) {
    co_return found.error();
  }
  if (!found->id) {
    co_return error_code(Errc::consumer_unknown);
  }
  co_return Consumer(std::move(port), *found->id, found->epoch);
}

asio::awaitable<AggregatorHandle::Result<Consumer>> AggregatorHandle::consume(
    std::string name) const {
  return Port::consume(port_, std::move(name));
}

}  // namespace meridian::inline v1
