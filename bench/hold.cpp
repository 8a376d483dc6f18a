// Holds many uplinks open, for measuring what they cost.
//
//     bench_hold PORT UPLINKS PAYLOAD_BYTES
//
// Prints "ready" once all are connected; then, for each line on the standard input, sends one frame
// on each uplink, in a write of its own, and prints "sent". Ends with its input.
#include "bench/sockets.hpp"

#include <meridian/frame.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace meridian;
using namespace meridian::bench;

void raise_open_files_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void run(std::uint16_t port, std::size_t count, std::size_t payload_bytes) {
  raise_open_files_limit();
  const std::vector<Fd> uplinks = connect_all(port, count);
  std::cout << "ready" << std::endl;
  std::vector<std::byte> frame(frame_header_bytes + payload_bytes);
  std::uint64_t sequence = 0;
  for (std::string line; std::getline(std::cin, line); ++sequence) {
    for (std::size_t i = 0; i < count; ++i) {
      write_frame_header(
          {.origin = {.satellite_id = static_cast<SatelliteId>(i + 1)}, .sequence = sequence},
          payload_bytes, std::span(frame).first<frame_header_bytes>());
      if (::send(uplinks[i].get(), frame.data(), frame.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(frame.size())) {
        fail("send");
      }
    }
    std::cout << "sent" << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_hold PORT UPLINKS PAYLOAD_BYTES\n");
    return 64;
  }
  try {
    run(static_cast<std::uint16_t>(std::atoi(argv[1])), std::strtoull(argv[2], nullptr, 10),
        std::strtoull(argv[3], nullptr, 10));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_hold: %s\n", error.what());
    return 1;
  }
}
