/// Frames as JSON.
#pragma once

#include <meridian/frame.hpp>

#include <string>

namespace meridian::control {

/// Appends rows of a list, with the commas between them.
class FrameRows {
 public:
  /// `redelivered`: see FrameBatch; said only where it is true.
  void append(std::string& out, const FrameView& frame, ReceiveTime received_at,
              bool redelivered = false);

  /// The next row is the first of a list.
  void begin_list() noexcept { first_ = true; }

 private:
  bool first_ = true;
  ReceiveTime received_at_{};  // of the last frame: it is often the same for the next
  std::string received_at_text_;
};

}  // namespace meridian::control
