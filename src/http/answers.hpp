/// Answers what an HTTP client asks for.
#pragma once

#include "http/context.hpp"
#include "http/options.hpp"
#include "http/request.hpp"
#include "http/resource.hpp"
#include "http/response_writer.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <string>

namespace meridian::http {

namespace asio = boost::asio;

/// Finds out what a request names, asks the daemon for it, and writes the answer. Each answer fails
/// if the connection must end. The error is that of the stream, that of the aggregator (in the
/// middle of an answer), or `ResponseWriter::end_of_connection`.
///
/// Not thread-safe: must be used on the strand of the connection, for one request at a time.
/// `context` and `writer` must outlive it.
class Answers {
 public:
  Answers(const Context& context, Place place, ResponseWriter& writer)
      : context_(context), place_(place), writer_(writer) {}

  /// Answers a request for `target`, which is a path or an absolute URL.
  [[nodiscard]] asio::awaitable<error_code> answer(Request request, std::string target);

 private:
  [[nodiscard]] asio::awaitable<error_code> answer_resource(Request request, Resource resource);
  [[nodiscard]] asio::awaitable<error_code> answer_metrics(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_stats(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_readiness(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_uplinks(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_satellites(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_events(Request request);
  /// Writes the head, and then events until the stream has lasted as long as it may.
  [[nodiscard]] asio::awaitable<error_code> write_events(Request request);

  /// Refuses a request for which there is no place, and counts it.
  [[nodiscard]] asio::awaitable<error_code> refuse_for_place(Request request, std::string message);
  [[nodiscard]] asio::awaitable<error_code> refuse_unanswered(Request request, error_code ec);

  /// The aggregator's answer, or asio::error::timed_out. The question may go on after the call has
  /// ended.
  template <typename T>
  [[nodiscard]] asio::awaitable<boost::system::result<T>> ask(
      asio::awaitable<boost::system::result<T>> question) const;

  const Context& context_;
  const Place place_;
  ResponseWriter& writer_;
};

}  // namespace meridian::http
