// A binary drain of everything, against a bare Unix socket that carries as many octets.
//
//     bench_drain daemon SOCKET     takes everything out of the buffer in one drain
//     bench_drain bare BYTES        another process writes BYTES octets, this one reads them
#include "bench/control_socket.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <sys/wait.h>

namespace {

using namespace meridian::bench;
using Clock = std::chrono::steady_clock;

/// The daemon and the bare writer both write pieces of this size.
constexpr std::size_t piece_bytes = 256 * 1024;

void print(std::uint64_t bytes, Clock::time_point begun) {
  const std::chrono::duration<double> elapsed = Clock::now() - begun;
  std::printf("{\"octets\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(bytes),
              elapsed.count());
}

void drain_daemon(const std::string& socket) {
  ControlSocket control(socket);
  const auto begun = Clock::now();
  const std::uint64_t bytes = control.drain(1'000'000'000, [](std::string_view) {});
  print(bytes, begun);
}

[[noreturn]] void write_all(int socket, const std::vector<char>& octets) {
  for (std::size_t at = 0; at < octets.size();) {
    const ssize_t written =
        ::send(socket, octets.data() + at, std::min(octets.size() - at, piece_bytes), MSG_NOSIGNAL);
    if (written <= 0) {
      ::_exit(1);
    }
    at += static_cast<std::size_t>(written);
  }
  ::_exit(0);
}

void read_bare(std::uint64_t bytes) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail("socketpair");
  }
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::vector<char> octets(bytes, 'x');  // in memory, as the daemon's are
    char go = 0;
    if (::send(writer.get(), &go, 1, 0) != 1 || ::recv(writer.get(), &go, 1, 0) != 1) {
      ::_exit(1);
    }
    write_all(writer.get(), octets);
  }
  writer = Fd();
  std::vector<char> buffer(1024 * 1024);
  char go = 0;
  if (::recv(reader.get(), &go, 1, 0) != 1) {
    fail("the writer");
  }
  const auto begun = Clock::now();
  if (::send(reader.get(), &go, 1, MSG_NOSIGNAL) != 1) {
    fail("send");
  }
  std::uint64_t got = 0;
  for (ssize_t read = 1; read > 0 && got < bytes; got += static_cast<std::uint64_t>(read)) {
    read = ::recv(reader.get(), buffer.data(), buffer.size(), 0);
  }
  print(got, begun);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_drain daemon SOCKET | bare BYTES\n");
    return 64;
  }
  try {
    if (std::string(argv[1]) == "daemon") {
      drain_daemon(argv[2]);
    } else {
      read_bare(std::strtoull(argv[2], nullptr, 10));
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_drain: %s\n", error.what());
    return 1;
  }
}
