// How long `depth` takes over the control socket.
//
//     bench_depth SOCKET SECONDS
//
// Asks a hundred times a second, each time on schedule: the time of the next question runs from
// when it is due, even if the last answer is late.
#include "bench/control_socket.hpp"
#include "bench/percentiles.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_depth SOCKET SECONDS\n");
    return 64;
  }
  try {
    meridian::bench::ControlSocket control(argv[1]);
    std::vector<double> us;
    auto due = Clock::now();
    const auto end = due + std::chrono::seconds(std::atoi(argv[2]));
    while (due < end) {
      std::this_thread::sleep_until(due);
      control.ask("depth");
      us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - due).count());
      due += std::chrono::milliseconds(10);
    }
    meridian::bench::print_percentiles(std::move(us));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_depth: %s\n", error.what());
    return 1;
  }
}
