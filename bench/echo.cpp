// A process that does nothing but answer: shows what the machine itself adds to a request over a
// Unix socket.
//
//     bench_echo SOCKET
//
// Listens at SOCKET and sends back what it reads, to one client after the other, until SIGTERM.
#include "bench/sockets.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

namespace {

using namespace meridian::bench;

void run(const std::string& path) {
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener.get(), 1) != 0) {
    fail("listen");
  }
  for (;;) {
    const Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 256> line{};
    for (ssize_t bytes = 1; bytes > 0;) {
      bytes = ::recv(client.get(), line.data(), line.size(), 0);
      if (bytes > 0) {
        bytes = ::send(client.get(), line.data(), static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_echo SOCKET\n");
    return 64;
  }
  try {
    run(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_echo: %s\n", error.what());
    return 1;
  }
}
