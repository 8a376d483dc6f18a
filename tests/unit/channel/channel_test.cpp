#include <meridian/channel.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <string>
#include <vector>

namespace meridian {
namespace {

void rethrow(std::exception_ptr error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

asio::awaitable<void> send_numbers(Sender<int> tx, int from, int count, int* sent) {
  for (int i = from; i < from + count; ++i) {
    const error_code ec = co_await tx.send(i);
    if (ec) {
      co_return;
    }
    ++*sent;
  }
}

asio::awaitable<void> collect(Receiver<int> rx, std::vector<int>* out) {
  for (;;) {
    const std::optional<int> value = co_await rx.receive();
    if (!value) {
      co_return;
    }
    out->push_back(*value);
  }
}

TEST(Channel, HoldsExactlyItsCapacityAndTheNextSendWaits) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 32);
  int sent = 0;
  asio::co_spawn(context, send_numbers(std::move(tx), 0, 33, &sent), rethrow);
  context.poll();
  EXPECT_EQ(sent, 32);
  EXPECT_EQ(rx.try_receive().value(), 0);
  context.restart();
  context.poll();
  EXPECT_EQ(sent, 33);
}

TEST(Channel, DeliversEverythingBeforeTheEndWhenTheLastSenderGoes) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 4);
  int sent = 0;
  std::vector<int> got;
  asio::co_spawn(context, send_numbers(std::move(tx), 0, 10, &sent), rethrow);
  context.poll();
  asio::co_spawn(context, collect(std::move(rx), &got), rethrow);
  context.run();
  EXPECT_EQ(sent, 10);
  EXPECT_EQ(got.size(), 10U);
}

}  // namespace
}  // namespace meridian
