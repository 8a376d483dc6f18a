/// Answers those requests of a control client that take no frames.
#pragma once

#include "control/protocol.hpp"
#include "control/reply_writer.hpp"
#include "control/request_log.hpp"
#include "control/services.hpp"
#include "status/json.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>

#include <variant>

namespace meridian::control {

namespace asio = boost::asio;

/// Answers all methods but drains and leases (`ClientDrains`), and tails (`stream_tail`). Does not
/// check what the client may do.
///
/// Each answer fails if the session must end: with the socket's error, or with the aggregator's
/// error in the middle of an answer. Not thread-safe: must be used on the strand of the socket.
/// `services`, `writer` and `log` must outlive it.
class ClientAnswers {
 public:
  ClientAnswers(const Services& services, ReplyWriter& writer, RequestLog& log)
      : services_(services), writer_(writer), log_(log) {}

  /// Throws std::logic_error for a method that it does not answer.
  [[nodiscard]] asio::awaitable<error_code> answer(Request request);

 private:
  [[nodiscard]] asio::awaitable<error_code> answer_in_whole(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_reload(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_forget(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_log_level(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_uplinks(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_satellites(Request request);

  /// A result as JSON, or the error that the aggregator gave.
  [[nodiscard]] asio::awaitable<std::variant<status::Json, error_code>> result_of(Method method);

  const Services& services_;
  ReplyWriter& writer_;
  RequestLog& log_;
};

}  // namespace meridian::control
