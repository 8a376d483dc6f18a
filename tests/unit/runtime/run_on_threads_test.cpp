#include "runtime/run_on_threads.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <barrier>
#include <stdexcept>

namespace meridian::runtime {
namespace {

namespace asio = boost::asio;

TEST(RunOnThreads, RunsOnAsManyAsAsked) {
  asio::io_context context;
  std::barrier all_here(3);  // for ever, if there were fewer
  for (int i = 0; i < 3; ++i) {
    asio::post(context, [&] { all_here.arrive_and_wait(); });
  }
  run_on_threads(context, 3);
  EXPECT_TRUE(context.stopped());
}

TEST(RunOnThreads, ThrowsHereWhatIsThrownThereAndStopsTheOthers) {
  asio::io_context context;
  asio::steady_timer never(context, std::chrono::hours(1));
  never.async_wait([](const boost::system::error_code&) {});
  std::barrier all_here(2);
  asio::post(context, [&] { all_here.arrive_and_wait(); });
  asio::post(context, [&] {
    all_here.arrive_and_wait();
    throw std::logic_error("a bug");
  });
  EXPECT_THROW(run_on_threads(context, 2), std::logic_error);
}

}  // namespace
}  // namespace meridian::runtime
