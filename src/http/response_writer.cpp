#include "http/response_writer.hpp"

#include "runtime/use_tuple.hpp"
#include "status/version.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace meridian::http {

namespace {

using beast::http::field;

using runtime::use_tuple;

beast::string_view to_beast(std::string_view text) {
  return {text.data(), text.size()};
}

template <typename Message>
void set_common(Message& message) {
  message.set(field::server, fmt::format("meridiand/{}", status::version));
  message.set(field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
}

beast::http::response<beast::http::string_body> message_of(const Request& request,
                                                           Response response) {
  beast::http::response<beast::http::string_body> message(
      static_cast<beast::http::status>(response.status), request.version, std::move(response.text));
  set_common(message);
  message.set(field::content_type, to_beast(response.type));
  message.keep_alive(request.keep_alive);
  message.prepare_payload();
  for (const HeadField& more : response.fields) {
    message.set(to_beast(more.name), to_beast(more.value));
  }
  return message;
}

}  // namespace

error_code ResponseWriter::end_of_connection() {
  return beast::http::error::end_of_stream;
}

asio::awaitable<error_code> ResponseWriter::write(Request request, Response response) {
  auto message = message_of(request, std::move(response));
  stream_.expires_after(timeout_);
  beast::http::response_serializer<beast::http::string_body> serializer(message);
  error_code ec;
  if (request.head) {
    const auto [failed, bytes] =
        co_await beast::http::async_write_header(stream_, serializer, use_tuple);
    ec = failed;
  } else {
    const auto [failed, bytes] = co_await beast::http::async_write(stream_, serializer, use_tuple);
    ec = failed;
  }
  co_return written(ec);
}

asio::awaitable<error_code> ResponseWriter::begin_json(Request request) {
  beast::http::response<beast::http::empty_body> head(beast::http::status::ok, request.version);
  set_common(head);
  head.set(field::content_type, to_beast(json_type));
  head.keep_alive(request.keep_alive && request.version == 11);
  head.chunked(request.version == 11);
  beast::http::response_serializer<beast::http::empty_body> serializer(head);
  stream_.expires_after(timeout_);
  const auto [ec, bytes] = co_await beast::http::async_write_header(stream_, serializer, use_tuple);
  co_return written(ec);
}

asio::awaitable<error_code> ResponseWriter::write_piece(Request request, std::string piece) {
  stream_.expires_after(timeout_);
  error_code ec;
  if (request.version == 11) {
    const auto chunk = beast::http::make_chunk(asio::buffer(piece));
    const auto [failed, bytes] = co_await asio::async_write(stream_, chunk, use_tuple);
    ec = failed;
  } else {
    const auto [failed, bytes] =
        co_await asio::async_write(stream_, asio::buffer(piece), use_tuple);
    ec = failed;
  }
  co_return written(ec);
}

asio::awaitable<error_code> ResponseWriter::end_json(Request request) {
  if (request.version == 10) {
    co_return end_of_connection();  // which ends the answer
  }
  if (request.head) {
    co_return error_code{};
  }
  stream_.expires_after(timeout_);
  const auto last = beast::http::make_chunk_last();
  const auto [ec, bytes] = co_await asio::async_write(stream_, last, use_tuple);
  co_return written(ec);
}

asio::awaitable<error_code> ResponseWriter::begin_events(Request request) {
  beast::http::response<beast::http::empty_body> head(beast::http::status::ok, request.version);
  set_common(head);
  head.set(field::content_type, "text/event-stream");
  head.set("X-Accel-Buffering", "no");  // a proxy must pass events on at once
  head.keep_alive(false);               // the events last until the connection ends
  beast::http::response_serializer<beast::http::empty_body> serializer(head);
  stream_.expires_after(timeout_);
  const auto [ec, bytes] = co_await beast::http::async_write_header(stream_, serializer, use_tuple);
  co_return written(ec);
}

asio::awaitable<error_code> ResponseWriter::write_event(Live::Text event) {
  stream_.expires_after(timeout_);
  const auto [ec, bytes] = co_await asio::async_write(stream_, asio::buffer(*event), use_tuple);
  stream_.expires_never();
  co_return written(ec);
}

error_code ResponseWriter::written(error_code ec) const {
  if (ec == beast::error::timeout) {
    counters_.timed_out();
  }
  return ec;
}

}  // namespace meridian::http
