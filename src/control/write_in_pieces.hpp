/// Writes a long answer piece by piece, so that it is never in memory as a whole.
#pragma once

#include "control/protocol.hpp"
#include "control/reply_writer.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace meridian::control {

/// Writes the pieces of `encoder`, with `envelope` around them. `Encoder::next` puts the next piece
/// into a string, and is false after the last one. The caller keeps all three until the end.
template <typename Encoder>
asio::awaitable<error_code> write_in_pieces(ReplyWriter& writer, const Envelope& envelope,
                                            Encoder& encoder) {
  error_code ec = co_await writer.write(envelope.before);
  std::string piece;
  while (!ec && encoder.next(piece)) {
    ec = co_await writer.write(piece);
  }
  if (!ec) {
    ec = co_await writer.write(envelope.after);
  }
  co_return ec;
}

}  // namespace meridian::control
