// The sender of the ingest benchmark: many connections, frames prepared in advance, sent as fast as
// they are taken.
//
//     bench_sender PORT UPLINKS FRAMES PAYLOAD_BYTES
//
// Sends FRAMES in all, shared evenly. Every frame is valid and in sequence, so a receiver that
// checks them finds them in order. Ends once the other side has closed every connection, and prints
// one line of JSON.
#include "bench/sockets.hpp"

#include <meridian/frame.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <vector>

#include <sys/epoll.h>
#include <sys/resource.h>

namespace {

using namespace meridian;
using namespace meridian::bench;

/// What is written at once.
constexpr std::size_t chunk_bytes = 256 * 1024;

/// Frames of one satellite, encoded again and again into the same memory with new sequences.
class Frames {
 public:
  Frames(std::size_t payload_bytes, std::uint64_t frames)
      : frame_bytes_(frame_header_bytes + payload_bytes), left_(frames) {
    const std::size_t count = std::max<std::size_t>(1, chunk_bytes / frame_bytes_);
    chunk_.resize(count * frame_bytes_);
  }

  void be(SatelliteId satellite_id) {
    const std::size_t payload_bytes = frame_bytes_ - frame_header_bytes;
    for (std::size_t at = 0; at < chunk_.size(); at += frame_bytes_) {
      write_frame_header({.origin = {.satellite_id = satellite_id}}, payload_bytes,
                         std::span(chunk_).subspan(at).first<frame_header_bytes>());
    }
  }

  /// What is to be written next; empty once all frames are written.
  [[nodiscard]] std::span<const std::byte> rest() {
    if (rest_.empty() && left_ > 0) {
      const std::size_t count = std::min<std::uint64_t>(left_, chunk_.size() / frame_bytes_);
      for (std::size_t i = 0; i < count; ++i) {
        boost::endian::store_big_u64(
            reinterpret_cast<unsigned char*>(chunk_.data() + i * frame_bytes_ + 12), sequence_++);
      }
      rest_ = std::span(chunk_).first(count * frame_bytes_);
      left_ -= count;
    }
    return rest_;
  }
  void wrote(std::size_t bytes) { rest_ = rest_.subspan(bytes); }

 private:
  std::size_t frame_bytes_;
  std::uint64_t left_;
  std::uint64_t sequence_ = 0;
  std::vector<std::byte> chunk_;
  std::span<const std::byte> rest_;
};

struct Uplink {
  Fd socket;
  Frames frames;
  bool half_closed = false;
};

/// Writes until it would block, or has written a whole chunk. False once everything is written.
bool write_some(Uplink& uplink) {
  for (;;) {
    const std::span<const std::byte> rest = uplink.frames.rest();
    if (rest.empty()) {
      ::shutdown(uplink.socket.get(), SHUT_WR);
      return false;
    }
    const ssize_t written = ::send(uplink.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EAGAIN) {
        return true;
      }
      fail("send");
    }
    uplink.frames.wrote(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) == rest.size()) {
      return true;  // the others get their turn
    }
  }
}

void watch(int epoll, Uplink& uplink, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &uplink;
  if (::epoll_ctl(epoll, operation, uplink.socket.get(), &event) != 0) {
    fail("epoll_ctl");
  }
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void run(std::uint16_t port, std::size_t count, std::uint64_t frames, std::size_t payload_bytes) {
  std::vector<Uplink> uplinks;
  uplinks.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t share = frames / count + (i < frames % count ? 1 : 0);
    uplinks.push_back({connect_to(port), Frames(payload_bytes, share)});
    uplinks.back().frames.be(static_cast<SatelliteId>(i + 1));
    set_non_blocking(uplinks.back().socket.get());
  }
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  const auto begun = std::chrono::steady_clock::now();
  for (Uplink& uplink : uplinks) {
    watch(epoll.get(), uplink, EPOLLOUT, EPOLL_CTL_ADD);
  }
  std::vector<epoll_event> events(256);
  for (std::size_t open = count; open > 0;) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      Uplink& uplink = *static_cast<Uplink*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!uplink.half_closed) {
        if (!write_some(uplink)) {
          uplink.half_closed = true;
          watch(epoll.get(), uplink, EPOLLIN, EPOLL_CTL_MOD);
        }
        continue;
      }
      char nothing = 0;
      if (::recv(uplink.socket.get(), &nothing, 1, 0) != 0) {
        fail("the receiver did not take everything");
      }
      uplink.socket = Fd();
      --open;
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
  std::printf("{\"frames\": %llu, \"octets\": %llu, \"seconds\": %.6f, \"sender_cpu_s\": %.3f}\n",
              static_cast<unsigned long long>(frames),
              static_cast<unsigned long long>(frames * (frame_header_bytes + payload_bytes)),
              elapsed.count(), cpu_seconds());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_sender PORT UPLINKS FRAMES PAYLOAD_BYTES\n");
    return 64;
  }
  try {
    run(static_cast<std::uint16_t>(std::atoi(argv[1])), std::strtoull(argv[2], nullptr, 10),
        std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_sender: %s\n", error.what());
    return 1;
  }
}
