/// Frames as JSON.
#pragma once

#include <meridian/frame.hpp>

#include <string>

namespace meridian::control {

/// Appends rows of a list, with the commas between them.
class FrameRows {
 public:
  /// `redelivered` (see FrameBatch) is written only if it is true.
  void append(std::string& out, const FrameView& frame, ReceiveTime received_at,
              bool redelivered = false);

  /// Starts a new list with the next row.
  void begin_list() noexcept { first_ = true; }

 private:
  bool first_ = true;
  ReceiveTime received_at_{};  // of the last frame, and often also of the next
  std::string received_at_text_;
};

}  // namespace meridian::control
