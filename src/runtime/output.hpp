/// Where a program writes frames.
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

/// A file, or the standard output. Members check every write: if one fails, they throw
/// std::runtime_error, which names the output. A file that is to be replaced keeps its contents
/// until the first flush that writes something.
class Output {
 public:
  /// The path "" means the standard output.
  Output(const std::string& path, WhenThere when_there);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  void write(std::span<const std::byte> octets);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  void flush();

  /// Waits until what was flushed is on the device. Does nothing for pipes and terminals. For a
  /// file, also syncs the entry in its directory.
  void sync();

  /// From now on, `take_back` and signals leave what was flushed so far.
  void keep();

  /// Removes from a file what was written since the last `keep`, as far as possible. Those frames
  /// will come once more, and part of a frame would spoil what is appended after it.
  void take_back() noexcept;

  /// From now on, a file is also cut back in this way if SIGINT, SIGTERM or SIGHUP ends the
  /// process.
  void take_back_on_signals();

 private:
  [[nodiscard]] std::runtime_error failure() const;
  void empty();

  std::string path_;  // "": the standard output
  int descriptor_;
  std::string pending_;                // what was written and not flushed
  std::optional<std::uint64_t> kept_;  // octets; no value if the output cannot be cut back
  bool replaces_;                      // the first flush replaces what is in the file
  bool name_is_synced_ = false;
  std::optional<CutOnSignal> cut_on_signal_;
};

}  // namespace meridian::runtime
