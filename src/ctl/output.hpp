/// Where frames are written.
#pragma once

#include "ctl/cut_on_signal.hpp"
#include "runtime/output_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace meridian::ctl {

using runtime::WhenThere;

/// A file, or the standard output. Every write is checked: all members throw std::runtime_error
/// naming it where it fails. What a file that is to be replaced holds stays there until something
/// is flushed.
class Output {
 public:
  /// "" is the standard output.
  Output(const std::string& path, WhenThere when_there);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  void write(std::span<const std::byte> octets);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  void flush();

  /// What was flushed is on the device, where there is one: not for pipes and terminals. With a
  /// file so is its name.
  void sync();

  /// What was written so far stays, whatever comes.
  void keep();

  /// Takes what was written since the last `keep` out of a file again, as far as that goes: the
  /// frames will come once more, and a part of one would spoil what is appended to it.
  void take_back() noexcept;

  /// The same where SIGINT, SIGTERM or SIGHUP ends the process, from now on.
  void take_back_on_signals();

 private:
  [[nodiscard]] std::runtime_error failure() const;
  void empty();

  std::string path_;  // "": the standard output
  int descriptor_;
  std::string pending_;                // what was written and not flushed
  std::optional<std::uint64_t> kept_;  // octets; nothing where nothing can be taken back
  bool replaces_;                      // what is in the file, with what is flushed first
  bool name_is_synced_ = false;
  std::optional<CutOnSignal> cut_on_signal_;
};

}  // namespace meridian::ctl
