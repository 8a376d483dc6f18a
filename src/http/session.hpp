/// One client of the HTTP server.
#pragma once

#include "http/client_counters.hpp"
#include "http/host.hpp"
#include "http/live.hpp"
#include "http/options.hpp"
#include "http/page.hpp"
#include "http/resource.hpp"
#include "status/probes.hpp"
#include "status/sources.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// What the sessions of a server share.
struct Context {
  const status::Sources& sources;
  ClientCounters& counters;
  std::shared_ptr<Live> live;
  ServerOptions options;
};

/// Answers GET and HEAD, one request after another. A client that exceeds the timeout is cut off.
/// The session holds at most one piece of an answer.
///
/// Everything runs on the socket's strand, except members that are marked "callable from any
/// thread".
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// A reserved place is for a single request by a probe or a scrape, which must arrive soon.
  enum class Place : std::uint8_t { ordinary, reserved };

  Session(asio::ip::tcp::socket socket, std::shared_ptr<const Context> context, Place place);

  [[nodiscard]] asio::awaitable<void> run();

  /// Callable from any thread.
  void stop();

  /// Makes room for another client, where this one has not sent a request: ends the session.
  /// Callable from any thread.
  void leave_place();
  /// Whether `leave_place` was called, so that the place now belongs to another client. Callable
  /// from any thread.
  [[nodiscard]] bool has_left_place() const noexcept { return has_left_place_; }

  // Callable from any thread.
  /// Whether the client has ever sent a complete request.
  [[nodiscard]] bool has_asked() const noexcept { return has_asked_; }
  [[nodiscard]] std::chrono::steady_clock::time_point connected_at() const noexcept {
    return connected_at_;
  }

 private:
  /// The parts of a request that its answer depends on.
  struct Request {
    bool head = false;
    bool keep_alive = true;
    unsigned version = 11;  // 10: HTTP/1.0, which has no chunks
  };

  using Status = beast::http::status;
  using Whole = beast::http::response<beast::http::string_body>;

  /// Reads a request and answers it. Returns false if none follows.
  [[nodiscard]] asio::awaitable<bool> serve_one();
  [[nodiscard]] asio::awaitable<error_code> answer_target(Request request, std::string target);
  [[nodiscard]] asio::awaitable<error_code> answer(Request request, Resource resource);
  [[nodiscard]] asio::awaitable<error_code> answer_metrics(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_stats(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_readiness(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_uplinks(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_satellites(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_events(Request request);
  /// Writes the head, and then events until the stream has lasted as long as it may.
  [[nodiscard]] asio::awaitable<error_code> write_events(Request request);
  /// The refusal of a request for which there is no place; counts it.
  [[nodiscard]] Whole no_place(Request request, std::string message);

  /// The aggregator's answer, or asio::error::timed_out.
  template <typename T>
  [[nodiscard]] asio::awaitable<boost::system::result<T>> ask(
      asio::awaitable<boost::system::result<T>> question) const;
  [[nodiscard]] asio::awaitable<error_code> refuse_unanswered(Request request, error_code ec);

  [[nodiscard]] static Whole whole(const Request& request, Status status, std::string_view type,
                                   std::string text);
  [[nodiscard]] static Whole page(const Request& request, const PageFile& file);
  [[nodiscard]] static Whole refusal(const Request& request, Status status, std::string message);
  /// The refusal of a request, or of input that could not be read as one. Nothing if the request is
  /// to be carried out, or if the client has gone. May end the connection.
  using Message = beast::http::request<beast::http::empty_body>;
  [[nodiscard]] std::optional<Whole> refusal_of(Request& request, const Message& message,
                                                const error_code& read_error) const;
  /// Judges the Host header, and the authority if the target is an absolute URL.
  [[nodiscard]] HostVerdict judge_hosts(const Message& message) const;
  [[nodiscard]] static Whole verdict(const Request& request, const status::Verdict& verdict);
  [[nodiscard]] asio::awaitable<error_code> write(Request request, Whole response);

  [[nodiscard]] asio::awaitable<error_code> write_text(Live::Text text);
  /// Counts a write that has timed out; returns `ec`.
  [[nodiscard]] error_code written(error_code ec) const;

  // A long answer: its head, its pieces and its end.
  [[nodiscard]] asio::awaitable<error_code> begin_json(Request request);
  [[nodiscard]] asio::awaitable<error_code> write_piece(Request request, std::string piece);
  [[nodiscard]] asio::awaitable<error_code> end_json(Request request);

  /// Ensures that a peer gets the answer even if it has sent more than was read: reads and discards
  /// what it still sends, within bounds, and then closes.
  [[nodiscard]] asio::awaitable<void> close();

  beast::tcp_stream stream_;
  std::shared_ptr<const Context> context_;
  const Place place_;
  const std::chrono::steady_clock::time_point connected_at_ = std::chrono::steady_clock::now();
  std::atomic<bool> has_asked_{false};
  std::atomic<bool> has_left_place_{false};
  asio::ip::address local_;  // the address that the client connected to
  beast::flat_buffer received_;
  bool answered_ = false;  // a request, or an attempt at one
};

}  // namespace meridian::http
