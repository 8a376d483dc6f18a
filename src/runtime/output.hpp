/// Where frames are written.
#pragma once

#include "runtime/cut_on_signal.hpp"
#include "runtime/output_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace meridian::runtime {

/// A file, or the standard output. Every write is checked: members throw std::runtime_error that
/// names the output if one fails. A file that is to be replaced keeps what it holds until something
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

  /// Puts what was flushed onto the device, if there is one: not for pipes and terminals. For a
  /// file, also its name.
  void sync();

  /// Keeps what was flushed so far, whatever happens later.
  void keep();

  /// Removes what was written since the last `keep` from a file again, as far as possible: the
  /// frames will come once more, and a part of one would spoil what is appended after it.
  void take_back() noexcept;

  /// From now on does the same if SIGINT, SIGTERM or SIGHUP ends the process.
  void take_back_on_signals();

 private:
  [[nodiscard]] std::runtime_error failure() const;
  void empty();

  std::string path_;  // "": the standard output
  int descriptor_;
  std::string pending_;                // what was written and not flushed
  std::optional<std::uint64_t> kept_;  // octets; nothing if nothing can be taken back
  bool replaces_;                      // the first flush replaces what is in the file
  bool name_is_synced_ = false;
  std::optional<CutOnSignal> cut_on_signal_;
};

}  // namespace meridian::runtime
