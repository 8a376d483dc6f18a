/// Encodes what a watcher is told, message by message.
#pragma once

#include "control/frame_rows.hpp"
#include "control/protocol.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/tail.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::control {

/// A message is a line {"frames": …, "lost": n}, sent as a JSON-RPC notification unless the request
/// was a plain word. In binary format, "frames" and "bytes" are counts, and that many octets
/// ("bytes") follow the line.
class TailEncoder {
 public:
  explicit TailEncoder(const Request& request);

  /// A message is complete once it has this many octets; a large frame makes it larger.
  static constexpr std::size_t message_bytes = 128 * 1024;
  static constexpr std::size_t max_buffers = 64;

  struct Message {
    std::string line;
    std::vector<boost::asio::const_buffer> octets;  ///< after the line; they are in the last piece
  };

  /// The first message. It has no frames, and tells the client that the watch has begun.
  [[nodiscard]] Message begin();

  /// Adds the next piece. To be called once the previous piece is used up.
  void add(TailPiece piece);

  /// Puts the next message into `out`. Returns false if that needs another piece.
  [[nodiscard]] bool next(Message& out);

  /// Whether the messages have as many frames as were asked for.
  [[nodiscard]] bool reached_limit() const noexcept { return told_.frames == limit_; }

  /// The totals of all messages so far.
  struct Told {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t lost = 0;
  };
  [[nodiscard]] const Told& told() const noexcept { return told_; }

 private:
  /// Frames of one message.
  struct Contents {
    std::uint64_t frames = 0;
    std::size_t bytes = 0;
    std::string rows;
  };

  void add_frames_of(const FrameBatch& batch, Contents& contents, Message& out);
  [[nodiscard]] bool is_complete(const Contents& contents, const Message& out) const noexcept;
  [[nodiscard]] std::string line_for(const Contents& contents, std::uint64_t lost) const;

  TailQuery query_;
  FrameFormat format_;
  bool plain_;
  std::uint64_t limit_;
  Told told_;
  FrameRows rows_;
  TailPiece piece_;
  std::size_t batch_ = 0;         // the first batch of the piece not used up
  std::size_t batch_offset_ = 0;  // octets of that batch that are used up
};

}  // namespace meridian::control
