// Two senders, one receiver, a reply and a doorbell, with nothing but the installed headers. Asio
// is header-only here, as it is by default.
#include <meridian/channel.hpp>
#include <meridian/doorbell.hpp>
#include <meridian/oneshot.hpp>
#include <meridian/version.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <optional>
#include <utility>

namespace asio = boost::asio;

#if !defined(BOOST_ASIO_HEADER_ONLY)
#error "the library forces something else than header-only Asio on its users"
#endif

asio::awaitable<void> send(meridian::Sender<int> sender, int first) {
  for (int i = 0; i < 3; ++i) {
    co_await sender.send(first + i);
  }
}

asio::awaitable<void> sum(meridian::Receiver<int> receiver, meridian::OneshotSender<int> reply,
                          meridian::Doorbell& bell) {
  int sum = 0;
  for (std::optional<int> got = co_await receiver.receive(); got;
       got = co_await receiver.receive()) {
    sum += *got;
  }
  std::move(reply).send(sum);
  bell.ring();
}

asio::awaitable<int> run(asio::any_io_executor executor) {
  auto [sender, receiver] = meridian::channel<int>(executor, 2);
  auto [reply, answer] = meridian::oneshot<int>(executor);
  meridian::Doorbell bell(executor);
  asio::co_spawn(executor, send(sender, 0), asio::use_future);
  asio::co_spawn(executor, send(std::move(sender), 10), asio::use_future);
  asio::co_spawn(executor, sum(std::move(receiver), std::move(reply), bell), asio::use_future);
  co_await bell.wait();
  const auto got = co_await std::move(answer).receive();
  co_return got.value();
}

int main() {
  static_assert(meridian::version_major == 0);
  asio::io_context context;
  auto sum = asio::co_spawn(context, run(context.get_executor()), asio::use_future);
  context.run();
  std::printf("received 6 numbers, %d in all\n", sum.get());
}
