#include "integration/harness/relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <deque>
#include <utility>

namespace meridian::test {

namespace asio = boost::asio;
using boost::system::error_code;

struct Relay::Connection : std::enable_shared_from_this<Connection> {
  using Clock = std::chrono::steady_clock;

  struct Piece {
    Clock::time_point due;
    std::string octets;
  };
  /// One of the two directions.
  struct Way {
    tcp::socket& from;
    tcp::socket& to;
    Relay* swallower;  // of answers
    asio::steady_timer timer;
    std::array<char, 65'536> octets{};
    std::deque<Piece> on_its_way{};
    bool reads = false;
    bool writes = false;
  };

  Connection(tcp::socket own_client, tcp::socket own_server, Relay& own_relay)
      : client(std::move(own_client)),
        server(std::move(own_server)),
        relay(own_relay),
        there{.from = client,
              .to = server,
              .swallower = nullptr,
              .timer = asio::steady_timer(client.get_executor())},
        back{.from = server,
             .to = client,
             .swallower = &own_relay,
             .timer = asio::steady_timer(server.get_executor())} {}

  void pass_on(Way& way) {
    const bool delays = relay.delay_.load().count() > 0;
    if (way.reads || (!way.on_its_way.empty() && !delays)) {
      return;
    }
    way.reads = true;
    way.from.async_read_some(
        asio::buffer(way.octets),
        [self = shared_from_this(), &way](const error_code& failed, std::size_t count) {
          way.reads = false;
          if (failed) {
            self->close();
            return;
          }
          if (way.swallower == nullptr || !way.swallower->swallow({way.octets.data(), count})) {
            way.on_its_way.push_back(
                {Clock::now() + self->relay.delay_.load(), std::string(way.octets.data(), count)});
            self->write(way);
          }
          self->pass_on(way);
        });
  }

  void write(Way& way) {
    if (way.writes || way.on_its_way.empty()) {
      return;
    }
    way.writes = true;
    way.timer.expires_at(way.on_its_way.front().due);
    way.timer.async_wait([self = shared_from_this(), &way](const error_code& closed) {
      if (closed) {
        return;
      }
      asio::async_write(way.to, asio::buffer(way.on_its_way.front().octets),
                        [self, &way](const error_code& failed, std::size_t) {
                          if (failed) {
                            self->close();
                            return;
                          }
                          way.writes = false;
                          way.on_its_way.pop_front();
                          self->write(way);
                          self->pass_on(way);
                        });
    });
  }

  void close() {
    error_code ignored;
    there.timer.cancel();
    back.timer.cancel();
    client.close(ignored);
    server.close(ignored);
  }

  void reset() {
    error_code ignored;
    for (tcp::socket* socket : {&client, &server}) {
      socket->set_option(asio::socket_base::linger(true, 0), ignored);
    }
    close();
  }

  tcp::socket client;
  tcp::socket server;
  Relay& relay;
  Way there;
  Way back;
};

Relay::Relay(std::uint16_t target)
    : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      target_(asio::ip::address_v4::loopback(), target),
      url_(fmt::format("nats://127.0.0.1:{}", acceptor_.local_endpoint().port())) {
  accept();
  thread_ = std::jthread([this] { context_.run(); });
}

Relay::~Relay() {
  context_.stop();
}

void Relay::accept() {
  acceptor_.async_accept([this](const error_code& failed, tcp::socket client) {
    tcp::socket server(context_);
    error_code unreachable = failed;
    if (!failed) {
      server.connect(target_, unreachable);
    }
    if (!unreachable) {
      const auto connection =
          std::make_shared<Connection>(std::move(client), std::move(server), *this);
      connections_.push_back(connection);
      connection->pass_on(connection->there);
      connection->pass_on(connection->back);
    }
    accept();
  });
}

void Relay::swallow_answers() {
  const std::lock_guard lock(mutex_);
  swallowed_.emplace();
}

void Relay::pass_answers() {
  {
    const std::lock_guard lock(mutex_);
    swallowed_.reset();
  }
  cut();
}

bool Relay::swallow(std::string_view answer) {
  const std::lock_guard lock(mutex_);
  if (swallowed_) {
    swallowed_->append(answer);
  }
  return swallowed_.has_value();
}

std::size_t Relay::swallowed(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  const std::string_view all = swallowed_ ? std::string_view(*swallowed_) : "";
  for (std::size_t at = all.find(text); at != std::string_view::npos; at = all.find(text, at + 1)) {
    ++count;
  }
  return count;
}

void Relay::cut() {
  asio::post(context_, [this] {
    for (const std::weak_ptr<Connection>& each : std::exchange(connections_, {})) {
      if (const std::shared_ptr<Connection> connection = each.lock()) {
        connection->reset();
      }
    }
  });
}

}  // namespace meridian::test
