/// The reply to a drain, in pieces.
#pragma once

#include "control/frame_rows.hpp"
#include "status/json.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace meridian::control {

/// Encodes {"frames": […], "remaining": n} piece by piece, so that a drain of a million frames is
/// never in memory as text. For a drain with a lease, `"lease": id` follows.
class DrainJsonEncoder {
 public:
  /// `more_fields` follow the others, each preceded by a comma.
  explicit DrainJsonEncoder(const Drained& drained, std::string more_fields = "")
      : drained_(drained), more_fields_(std::move(more_fields)) {}
  explicit DrainJsonEncoder(Drained&&, std::string = "") = delete;  // keeps a reference

  /// A piece is complete once it has this many octets; a large frame makes it larger.
  static constexpr std::size_t piece_bytes = 128 * 1024;

  /// Puts the next piece into `out`, reusing its capacity. Returns false after the last one.
  [[nodiscard]] bool next(std::string& out);

 private:
  enum class Stage { begin, frames, ended };

  const Drained& drained_;
  std::string more_fields_;
  Stage stage_ = Stage::begin;
  std::size_t batch_ = 0;
  std::size_t batch_offset_ = 0;  // octets of the batch that are encoded already
  FrameRows rows_;
};

/// Which frames are redelivered, as a list of pairs: [index of the first frame, how many].
[[nodiscard]] status::Json redelivered_ranges(const Drained& drained);

/// Gathers the octets of drained batches for writing, without copying them.
class DrainBinaryEncoder {
 public:
  explicit DrainBinaryEncoder(const Drained& drained) noexcept : drained_(drained) {}
  explicit DrainBinaryEncoder(Drained&&) = delete;  // keeps a reference

  static constexpr std::size_t piece_bytes = 256 * 1024;
  static constexpr std::size_t max_buffers = 64;

  /// Puts the next piece into `out`. Returns false after the last one.
  [[nodiscard]] bool next(std::vector<boost::asio::const_buffer>& out);

 private:
  const Drained& drained_;
  std::size_t batch_ = 0;
};

}  // namespace meridian::control
