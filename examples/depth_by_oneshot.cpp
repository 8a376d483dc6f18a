// An actor in its smallest form: it alone owns a queue, and is asked for its depth by a message
// that carries the oneshot for the reply.
#include <meridian/channel.hpp>
#include <meridian/oneshot.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace asio = boost::asio;

struct Push {
  std::string frame;
};
struct GetDepth {
  meridian::OneshotSender<std::size_t> reply;
};
using Message = std::variant<Push, GetDepth>;

class Queue {
 public:
  void handle(Push& message) { frames_.push_back(std::move(message.frame)); }
  void handle(GetDepth& message) { std::move(message.reply).send(frames_.size()); }

 private:
  std::deque<std::string> frames_;
};

asio::awaitable<void> run_queue(meridian::Receiver<Message> rx) {
  Queue queue;
  for (;;) {
    auto message = co_await rx.receive();
    if (!message) {
      co_return;
    }
    std::visit([&queue](auto& one) { queue.handle(one); }, *message);
  }
}

asio::awaitable<void> ask(meridian::Sender<Message> tx) {
  for (const char* frame : {"frame-001", "frame-002", "frame-003"}) {
    Message push = Push{frame};
    std::ignore = co_await tx.send(std::move(push));
  }
  const auto executor = co_await asio::this_coro::executor;
  auto [reply_tx, reply_rx] = meridian::oneshot<std::size_t>(executor);
  Message question = GetDepth{std::move(reply_tx)};
  std::ignore = co_await tx.send(std::move(question));
  const auto depth = co_await std::move(reply_rx).receive();
  if (depth) {
    std::cout << "aggregator queue depth: " << *depth << '\n';
  } else {
    std::cout << "no reply: " << depth.error().message() << '\n';
  }
}

void rethrow(std::exception_ptr error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

int main() {
  asio::io_context context;
  auto [tx, rx] = meridian::channel<Message>(context.get_executor(), 8);
  asio::co_spawn(context, run_queue(std::move(rx)), rethrow);
  asio::co_spawn(context, ask(std::move(tx)), rethrow);
  context.run();
}
