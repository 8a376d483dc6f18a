// Measures the time from the sender's write until the frame is in the buffer, at a fixed offered
// load.
//
//     bench_latency PORT SOCKET UPLINKS FRAMES_PER_S SECONDS
//
// Open loop: frames are written on schedule, FRAMES_PER_S on each uplink, one at a time, and carry
// the time at which they were due; a stall shows in every frame behind it. A consumer drains
// without a pause: a frame that it gets was in the buffer before, so the measured time is a little
// longer than that.
#include "bench/control_socket.hpp"
#include "bench/percentiles.hpp"

#include <meridian/frame.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace meridian;
using namespace meridian::bench;
using Clock = std::chrono::steady_clock;

constexpr std::size_t payload_bytes = 64;
constexpr std::size_t frame_bytes = frame_header_bytes + payload_bytes;

std::uint64_t ticks(Clock::time_point time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// Splits a stream of frames of one size, and notes the age of each.
class Ages {
 public:
  void take(std::string_view octets) {
    while (!octets.empty()) {
      const std::size_t count = std::min(octets.size(), frame_bytes - held_);
      std::ranges::copy(octets.substr(0, count), frame_.data() + held_);
      held_ += count;
      octets.remove_prefix(count);
      if (held_ == frame_bytes) {
        held_ = 0;
        note();
      }
    }
  }
  [[nodiscard]] std::vector<double>& us() { return us_; }

 private:
  void note() {
    const std::uint64_t due = boost::endian::load_big_u64(
        reinterpret_cast<const unsigned char*>(frame_.data()) + frame_header_bytes);
    us_.push_back(static_cast<double>(ticks(Clock::now()) - due) / 1e3);
  }

  std::array<char, frame_bytes> frame_{};
  std::size_t held_ = 0;
  std::vector<double> us_;
};

std::uint64_t total_of(std::size_t uplinks, double rate, int seconds) {
  return static_cast<std::uint64_t>(rate * static_cast<double>(uplinks) * seconds);
}

void send_on_schedule(const std::vector<Fd>& uplinks, double rate, std::uint64_t total) {
  const std::chrono::duration<double, std::nano> gap(1e9 / rate /
                                                     static_cast<double>(uplinks.size()));
  const auto begun = Clock::now();
  std::array<std::byte, frame_bytes> frame{};
  for (std::uint64_t i = 0; i < total; ++i) {
    const auto due =
        begun + std::chrono::duration_cast<Clock::duration>(gap * static_cast<double>(i));
    while (Clock::now() < due) {
      std::this_thread::sleep_until(due);
    }
    const std::size_t uplink = i % uplinks.size();
    write_frame_header({.origin = {.satellite_id = static_cast<SatelliteId>(uplink + 1)},
                        .sequence = i / uplinks.size()},
                       payload_bytes, std::span(frame).first<frame_header_bytes>());
    boost::endian::store_big_u64(
        reinterpret_cast<unsigned char*>(frame.data()) + frame_header_bytes, ticks(due));
    if (::send(uplinks[uplink].get(), frame.data(), frame.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(frame.size())) {
      fail("send");
    }
  }
}

void run(std::uint16_t port, const std::string& socket, std::size_t count, double rate,
         int seconds) {
  const std::vector<Fd> uplinks = connect_all(port, count);
  ControlSocket control(socket);
  Ages ages;
  const std::uint64_t frames = total_of(uplinks.size(), rate, seconds);
  std::thread consumer([&] {
    while (ages.us().size() < frames) {
      control.drain(1'000'000, [&](std::string_view octets) { ages.take(octets); });
    }
  });
  send_on_schedule(uplinks, rate, frames);
  consumer.join();
  print_percentiles(std::move(ages.us()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: bench_latency PORT SOCKET UPLINKS FRAMES_PER_S SECONDS\n");
    return 64;
  }
  try {
    run(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2],
        std::strtoull(argv[3], nullptr, 10), std::atof(argv[4]), std::atoi(argv[5]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_latency: %s\n", error.what());
    return 1;
  }
}
