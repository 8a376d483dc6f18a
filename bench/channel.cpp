// Channel against lock, in one process: how many frames a second go from N producers to one
// consumer.
//
//     bench_channel VARIANT PRODUCERS FRAMES
//
// Variants: `batches` and `frames` (meridian::channel with 780 frames or 1 in a message), `lock` (a
// deque under a mutex with two condition variables, one frame at a time, as many threads as
// producers), `naive` (concurrent_channel, one frame in a message). All have the same bound, in
// frames. Every frame is written by its producer and read by the consumer.
#include <meridian/channel.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using meridian::error_code;

/// Has as many octets as a native frame with 64 octets of payload, and padding.
struct Frame {
  std::uint64_t sequence = 0;
  std::array<char, 76> octets{};
};

/// How many such native frames fit into 64 KiB: a batch of moderate size.
constexpr std::size_t frames_per_batch = 780;

/// How many frames may be on their way.
constexpr std::size_t bound = 128 * frames_per_batch;

constexpr std::size_t threads = 2;

struct Work {
  std::size_t producers;
  std::uint64_t frames;
  [[nodiscard]] std::uint64_t share_of(std::size_t producer) const {
    return frames / producers + (producer < frames % producers ? 1 : 0);
  }
};

void check(std::uint64_t received, std::uint64_t sent) {
  if (received != sent) {
    throw std::runtime_error("frames were lost");
  }
}

/// Runs the producers and the consumer on a pool.
template <typename Produce>
void run_on_pool(const Work& work, asio::thread_pool& pool, std::future<std::uint64_t> consumed,
                 Produce produce) {
  std::vector<std::future<void>> producing;
  producing.reserve(work.producers);
  for (std::size_t i = 0; i < work.producers; ++i) {
    producing.push_back(asio::co_spawn(pool, produce(work.share_of(i)), asio::use_future));
  }
  for (auto& each : producing) {
    each.get();
  }
  produce = {};
  check(consumed.get(), work.frames);
}

// meridian::channel

using Batch = std::vector<Frame>;

asio::awaitable<void> send_batches(meridian::Sender<Batch> sender, std::uint64_t frames,
                                   std::size_t batch_size) {
  std::uint64_t sequence = 0;
  while (sequence < frames) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(batch_size, frames - sequence));
    Batch batch(count);
    for (Frame& frame : batch) {
      frame.sequence = sequence++;
    }
    const error_code ec = co_await sender.send(std::move(batch));
    if (ec) {
      throw std::runtime_error(ec.message());
    }
  }
}

asio::awaitable<std::uint64_t> receive_batches(meridian::Receiver<Batch> receiver) {
  std::uint64_t frames = 0;
  for (;;) {
    const std::optional<Batch> batch = co_await receiver.receive();
    if (!batch) {
      co_return frames;
    }
    for (const Frame& frame : *batch) {
      frames += frame.sequence < ~std::uint64_t{0} ? 1 : 0;
    }
  }
}

void run_channel(const Work& work, std::size_t batch_size) {
  asio::thread_pool pool(threads);
  auto [tx, rx] = meridian::channel<Batch>(pool.get_executor(), bound / batch_size);
  auto consumed = asio::co_spawn(pool, receive_batches(std::move(rx)), asio::use_future);
  std::function<asio::awaitable<void>(std::uint64_t)> produce = [sender = std::move(tx),
                                                                 batch_size](std::uint64_t frames) {
    return send_batches(sender, frames, batch_size);
  };
  run_on_pool(work, pool, std::move(consumed), std::move(produce));
  pool.join();
}

asio::awaitable<void> send_frames(meridian::Sender<Frame> sender, std::uint64_t frames) {
  for (std::uint64_t sequence = 0; sequence < frames; ++sequence) {
    const error_code ec = co_await sender.send(Frame{.sequence = sequence});
    if (ec) {
      throw std::runtime_error(ec.message());
    }
  }
}

asio::awaitable<std::uint64_t> receive_frames(meridian::Receiver<Frame> receiver) {
  std::uint64_t frames = 0;
  for (;;) {
    const std::optional<Frame> frame = co_await receiver.receive();
    if (!frame) {
      co_return frames;
    }
    frames += frame->sequence < ~std::uint64_t{0} ? 1 : 0;
  }
}

void run_frames(const Work& work) {
  asio::thread_pool pool(threads);
  auto [tx, rx] = meridian::channel<Frame>(pool.get_executor(), bound);
  auto consumed = asio::co_spawn(pool, receive_frames(std::move(rx)), asio::use_future);
  std::function<asio::awaitable<void>(std::uint64_t)> produce =
      [sender = std::move(tx)](std::uint64_t frames) { return send_frames(sender, frames); };
  run_on_pool(work, pool, std::move(consumed), std::move(produce));
  pool.join();
}

// concurrent_channel, used directly

using Naive = asio::experimental::concurrent_channel<void(error_code, Frame)>;

asio::awaitable<void> send_naively(std::shared_ptr<Naive> channel, std::uint64_t frames) {
  for (std::uint64_t sequence = 0; sequence < frames; ++sequence) {
    co_await channel->async_send(error_code{}, Frame{.sequence = sequence}, asio::use_awaitable);
  }
}

asio::awaitable<std::uint64_t> receive_naively(std::shared_ptr<Naive> channel,
                                               std::uint64_t expected) {
  std::uint64_t frames = 0;
  while (frames < expected) {
    const Frame frame = co_await channel->async_receive(asio::use_awaitable);
    frames += frame.sequence < ~std::uint64_t{0} ? 1 : 0;
  }
  co_return frames;
}

void run_naive(const Work& work) {
  asio::thread_pool pool(threads);
  const auto channel = std::make_shared<Naive>(pool.get_executor(), bound);
  auto consumed = asio::co_spawn(pool, receive_naively(channel, work.frames), asio::use_future);
  std::function<asio::awaitable<void>(std::uint64_t)> produce = [channel](std::uint64_t frames) {
    return send_naively(channel, frames);
  };
  run_on_pool(work, pool, std::move(consumed), std::move(produce));
  pool.join();
}

// A lock

class LockedQueue {
 public:
  void push(const Frame& frame) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [this] { return frames_.size() < bound; });
    frames_.push_back(frame);
    not_empty_.notify_one();
  }
  Frame pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return !frames_.empty(); });
    const Frame frame = frames_.front();
    frames_.pop_front();
    not_full_.notify_one();
    return frame;
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::deque<Frame> frames_;
};

void run_lock(const Work& work) {
  LockedQueue queue;
  std::vector<std::thread> producers;
  producers.reserve(work.producers);
  for (std::size_t i = 0; i < work.producers; ++i) {
    producers.emplace_back([&queue, frames = work.share_of(i)] {
      for (std::uint64_t sequence = 0; sequence < frames; ++sequence) {
        queue.push(Frame{.sequence = sequence});
      }
    });
  }
  std::uint64_t received = 0;
  while (received < work.frames) {
    received += queue.pop().sequence < ~std::uint64_t{0} ? 1 : 0;
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  check(received, work.frames);
}

void run(const std::string& variant, const Work& work) {
  const auto begun = std::chrono::steady_clock::now();
  if (variant == "batches") {
    run_channel(work, frames_per_batch);
  } else if (variant == "frames") {
    run_frames(work);
  } else if (variant == "naive") {
    run_naive(work);
  } else if (variant == "lock") {
    run_lock(work);
  } else {
    throw std::runtime_error("no such variant: " + variant);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
  std::printf("{\"frames\": %llu, \"seconds\": %.6f}\n",
              static_cast<unsigned long long>(work.frames), elapsed.count());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_channel batches|frames|naive|lock PRODUCERS FRAMES\n");
    return 64;
  }
  try {
    run(argv[1], {std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10)});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_channel: %s\n", error.what());
    return 1;
  }
}
