/// The control socket as a client of the benchmark uses it.
#pragma once

#include "bench/sockets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::bench {

class ControlSocket {
 public:
  explicit ControlSocket(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), buffer_(1024 * 1024) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
        0) {
      fail("connect to " + path);
    }
  }

  /// Sends a line and returns the answer's line.
  std::string ask(std::string_view line) {
    const std::string request = std::string(line) + "\n";
    if (::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      fail("send");
    }
    std::string answer;
    for (;;) {
      if (at_ == filled_) {
        fill();
      }
      const auto* const begin = buffer_.data() + at_;
      const auto* const end = static_cast<const char*>(std::memchr(begin, '\n', filled_ - at_));
      const std::size_t count =
          end != nullptr ? static_cast<std::size_t>(end - begin) : filled_ - at_;
      answer.append(begin, count);
      at_ += count;
      if (end != nullptr) {
        ++at_;
        return answer;
      }
    }
  }

  /// Drains up to `max_frames` and hands the octets to `on_octets` as they arrive. Returns how many
  /// octets that were.
  template <typename OnOctets>
  std::uint64_t drain(std::uint64_t max_frames, OnOctets&& on_octets) {
    const std::string answer = ask(
        R"({"jsonrpc":"2.0","id":1,"method":"drain","params":{"format":"binary","max_frames":)" +
        std::to_string(max_frames) + "}}");
    const std::uint64_t bytes = number(answer, "\"bytes\":");
    for (std::uint64_t left = bytes; left > 0;) {
      if (at_ == filled_) {
        fill();
      }
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, filled_ - at_));
      on_octets(std::string_view(buffer_.data() + at_, count));
      at_ += count;
      left -= count;
    }
    return bytes;
  }

 private:
  void fill() {
    const ssize_t bytes = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (bytes <= 0) {
      fail("recv");
    }
    at_ = 0;
    filled_ = static_cast<std::size_t>(bytes);
  }
  static std::uint64_t number(const std::string& answer, const char* key) {
    const std::size_t at = answer.find(key);
    if (at == std::string::npos) {
      throw std::runtime_error("unexpected answer: " + answer);
    }
    return std::strtoull(answer.c_str() + at + std::strlen(key), nullptr, 10);
  }

  Fd socket_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace meridian::bench
