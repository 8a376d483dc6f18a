#include "aggregator/port.hpp"

#include <meridian/consumer.hpp>

#include <memory>
#include <utility>

namespace meridian::inline v2 {

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
  // The claim has a control block of its own: it expires with the last reference to this consumer,
  // which can then be claimed again.
  const auto claim = std::make_shared<const std::shared_ptr<const Port>>(port);
  std::shared_ptr<const Port> claimed(claim, port.get());
  const auto reply = co_await ask<request::Consume>(std::move(port), std::move(name),
                                                    std::weak_ptr<const void>(claimed));
  if (!reply) {
    co_return reply.error();
  }
  if (reply->ec) {
    co_return reply->ec;
  }
  co_return Consumer(std::move(claimed), reply->id, reply->epoch);
}

asio::awaitable<AggregatorHandle::Result<Consumer>> AggregatorHandle::consume(
    std::string name) const {
  return Port::consume(port_, std::move(name));
}

}  // namespace meridian::inline v2
