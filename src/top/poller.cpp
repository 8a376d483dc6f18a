#include "top/poller.hpp"

#include "runtime/json_scan.hpp"
#include "runtime/use_tuple.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <string_view>
#include <utility>

#include <sys/socket.h>

namespace meridian::top {

namespace asio = boost::asio;

namespace {

using Json = nlohmann::ordered_json;

using runtime::use_tuple;

/// How long the daemon may take for all three answers.
constexpr std::chrono::seconds answer_timeout{10};

constexpr std::string_view requests = R"({"jsonrpc":"2.0","id":1,"method":"stats"})"
                                      "\n"
                                      R"({"jsonrpc":"2.0","id":2,"method":"satellites"})"
                                      "\n"
                                      R"({"jsonrpc":"2.0","id":3,"method":"uplinks"})"
                                      "\n";

}  // namespace

Poller::Poller(const asio::any_io_executor& strand, std::string socket)
    : path_(std::move(socket)), socket_(strand), deadline_(strand) {}

asio::awaitable<Poll> Poller::poll() {
  too_late_ = false;
  try {
    if (!socket_.is_open() || was_closed()) {
      connect();
    }
    watch_deadline();
    Poll poll = co_await ask();
    deadline_.expires_at(asio::steady_timer::time_point::max());
    co_return poll;
  } catch (const NoAnswer&) {
    deadline_.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code ignored;
    socket_.close(ignored);
    throw;
  }
}

/// Whether the daemon has ended the connection since the last answer. It does so if a client is
/// idle for a while, as we are with long intervals.
bool Poller::was_closed() {
  // If nothing has come and the connection is open, recv fails. It returns 0 at the end of the
  // connection, or 1 for an octet of the daemon's last words.
  char octet = 0;
  return ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void Poller::connect() {
  received_.clear();
  boost::system::error_code ec;
  socket_.close(ec);
  try {
    // Does not wait: connecting fails if the daemon's backlog is full.
    socket_.open();
    socket_.non_blocking(true);
    socket_.connect(asio::local::stream_protocol::endpoint(path_), ec);
  } catch (const boost::system::system_error& error) {
    ec = error.code();  // such as for a path that is too long
  }
  if (ec) {
    throw failure("cannot connect (is meridiand running?): " + ec.message());
  }
}

/// Closes the connection if the answers take too long. So everything that waits on it ends.
void Poller::watch_deadline() {
  deadline_.expires_after(answer_timeout);
  deadline_.async_wait([this](const boost::system::error_code& ec) {
    // The answers may have come when this handler was already queued.
    const bool still_waits = deadline_.expiry() <= asio::steady_timer::clock_type::now();
    if (!ec && still_waits) {
      too_late_ = true;
      boost::system::error_code ignored;
      socket_.close(ignored);
    }
  });
}

asio::awaitable<Poll> Poller::ask() {
  const auto [ec, written] = co_await asio::async_write(socket_, asio::buffer(requests), use_tuple);
  // A daemon that refuses this client has said why, and may already have closed the connection.
  if (ec && ec != asio::error::broken_pipe) {
    throw failure("cannot send: " + ec.message());
  }
  Poll poll;
  poll.stats = co_await read_result();
  poll.taken = std::chrono::steady_clock::now();
  poll.at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  poll.satellites = co_await read_result();
  poll.uplinks = co_await read_result();
  co_return poll;
}

asio::awaitable<Json> Poller::read_result() {
  const auto [ec, length] =
      co_await asio::async_read_until(socket_, asio::dynamic_buffer(received_), '\n', use_tuple);
  if (too_late_) {
    throw failure(fmt::format("no answer within {} s", answer_timeout.count()));
  }
  if (ec) {
    throw failure("the daemon ended the connection: " + ec.message());
  }
  const std::string_view line = std::string_view(received_).substr(0, length);
  Json reply;
  if (!runtime::is_nested_deeper(line, runtime::deepest_answer)) {
    reply = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  }
  received_.erase(0, length);
  if (!reply.is_object()) {
    throw failure("the answer is not JSON-RPC");
  }
  if (reply.contains("error")) {
    throw failure(reply["error"].value("message", "unknown error"));
  }
  co_return std::move(reply["result"]);
}

NoAnswer Poller::failure(const std::string& what) const {
  return NoAnswer(fmt::format("control socket {}: {}", path_, what));
}

}  // namespace meridian::top
