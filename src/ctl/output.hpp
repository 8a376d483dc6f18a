/// Where frames are written.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace meridian::ctl {

/// A file, or the standard output. Every write is checked: all members throw std::runtime_error
/// naming it where it fails.
class Output {
 public:
  /// "" is the standard output. What was in a file is replaced.
  explicit Output(const std::string& path);

  void write(std::span<const std::byte> octets);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  void flush();

  /// What was flushed is on the device, where there is one: not for pipes and terminals.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  [[nodiscard]] std::runtime_error failure() const;

  std::string name_;
  std::unique_ptr<std::FILE, Close> owned_;
  std::FILE* file_ = stdout;
};

}  // namespace meridian::ctl
