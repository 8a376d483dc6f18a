// The ceiling: reads whatever arrives on any number of connections, and discards it. No program can
// take frames faster.
//
//     bench_ceiling [KEPT_BYTES]
//
// Prints its port, and serves until SIGTERM. Reads into KEPT_BYTES of memory, in turn, as a program
// that keeps what it reads; without it, always into the same memory. Has two threads, as many as
// the daemon has, each with an epoll of its own.
#include "bench/sockets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <vector>

#include <sys/epoll.h>

namespace {

using namespace meridian::bench;

/// The daemon reads this much at once too.
constexpr std::size_t read_bytes = 256 * 1024;

constexpr std::size_t thread_count = 2;

void discard(int epoll, std::size_t kept_bytes) {
  std::vector<char> memory(std::max(kept_bytes, read_bytes));
  std::size_t at = 0;
  std::vector<epoll_event> events(256);
  for (;;) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      at = at + read_bytes > memory.size() ? 0 : at;
      const ssize_t bytes = ::recv(socket, memory.data() + at, read_bytes, 0);
      at += kept_bytes > 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
      if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) {
        ::close(socket);
      }
    }
  }
}

void run(std::size_t kept_bytes) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("listen");
  }
  std::vector<Fd> epolls;
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < thread_count; ++i) {
    epolls.emplace_back(::epoll_create1(EPOLL_CLOEXEC));
    workers.emplace_back(discard, epolls.back().get(), kept_bytes / thread_count);
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (std::size_t next = 0;; ++next) {
    const int socket = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      fail("accept");
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    ::epoll_ctl(epolls[next % thread_count].get(), EPOLL_CTL_ADD, socket, &event);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ceiling: %s\n", error.what());
    return 1;
  }
}
