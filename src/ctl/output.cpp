#include "ctl/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace meridian::ctl {

Output::Output(const std::string& path) : name_(path.empty() ? "standard output" : path) {
  if (!path.empty()) {
    owned_.reset(std::fopen(path.c_str(), "wb"));
    if (!owned_) {
      throw failure();
    }
    file_ = owned_.get();
  }
}

void Output::write(std::span<const std::byte> octets) {
  if (std::fwrite(octets.data(), 1, octets.size(), file_) != octets.size()) {
    throw failure();
  }
}

void Output::flush() {
  if (std::fflush(file_) != 0) {
    throw failure();
  }
}

void Output::sync() {
  if (::fdatasync(::fileno(file_)) != 0 && errno != EINVAL && errno != EROFS) {
    throw failure();
  }
}

std::runtime_error Output::failure() const {
  return std::runtime_error(fmt::format("cannot write to {}: {}", name_, std::strerror(errno)));
}

}  // namespace meridian::ctl
