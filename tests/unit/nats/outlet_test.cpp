#include "nats/outlet.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

namespace meridian::test {

using namespace nats;

namespace {

using testing::ElementsAre;

TEST(Outlet, HandsEventsOverInTheirOrder) {
  asio::io_context context;
  std::vector<int> seen;
  const auto outlet = std::make_shared<Outlet<int>>(context.get_executor(),
                                                    [&](int event) { seen.push_back(event); });
  outlet->post(1);
  outlet->post(2);
  EXPECT_THAT(seen, ElementsAre());  // only the executor runs it
  context.run();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(Outlet, RunsNothingAfterItWasClosed) {
  asio::io_context context;
  int events = 0;
  const auto outlet = std::make_shared<Outlet<int>>(context.get_executor(), [&](int) { ++events; });
  outlet->post(1);
  outlet->close();
  outlet->post(2);
  context.run();
  EXPECT_EQ(events, 0);
}

TEST(Outlet, DoesNotTouchAnExecutorThatIsGone) {
  std::optional<asio::io_context> context(std::in_place);
  const auto outlet = std::make_shared<Outlet<int>>(context->get_executor(), [](int) {});
  outlet->close();
  context.reset();
  outlet->post(1);
}

TEST(Outlet, MayBeClosedInItsFunction) {
  asio::io_context context;
  int events = 0;
  std::shared_ptr<Outlet<int>> outlet;
  outlet = std::make_shared<Outlet<int>>(context.get_executor(),
                                         [&, big = std::vector<int>(1000, 7)](int) {
                                           outlet->close();
                                           events += big.at(999);  // the function is still there
                                         });
  outlet->post(1);
  outlet->post(2);
  context.run();
  EXPECT_EQ(events, 7);
}

TEST(Outlet, CloseWaitsUntilItsFunctionHasReturned) {
  asio::thread_pool pool(1);
  std::binary_semaphore entered(0);
  std::binary_semaphore leave(0);
  std::atomic<bool> returned = false;
  const auto outlet = std::make_shared<Outlet<int>>(pool.get_executor(), [&](int) {
    entered.release();
    leave.acquire();
    returned = true;
  });
  outlet->post(1);
  entered.acquire();
  std::jthread closing([&] {
    outlet->close();
    EXPECT_TRUE(returned);
  });
  leave.release();
  closing.join();
  pool.join();
}

}  // namespace
}  // namespace meridian::test
