#include "integration/harness/relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>

namespace meridian::testing {

namespace asio = boost::asio;
using boost::system::error_code;

struct Relay::Connection : std::enable_shared_from_this<Connection> {
  /// One of the two directions.
  struct Way {
    tcp::socket& from;
    tcp::socket& to;
    Relay* swallower;  // of answers
    std::array<char, 65'536> octets{};
  };

  Connection(tcp::socket own_client, tcp::socket own_server, Relay& relay)
      : client(std::move(own_client)),
        server(std::move(own_server)),
        there{.from = client, .to = server, .swallower = nullptr},
        back{.from = server, .to = client, .swallower = &relay} {}

  void pass_on(Way& way) {
    way.from.async_read_some(asio::buffer(way.octets), [self = shared_from_this(), &way](
                                                           const error_code& failed,
                                                           std::size_t count) {
      if (failed) {
        self->close();
      } else if (way.swallower != nullptr && way.swallower->swallow({way.octets.data(), count})) {
        self->pass_on(way);
      } else {
        self->write(way, count);
      }
    });
  }

  void write(Way& way, std::size_t count) {
    asio::async_write(way.to, asio::buffer(way.octets.data(), count),
                      [self = shared_from_this(), &way](const error_code& failed, std::size_t) {
                        if (failed) {
                          self->close();
                        } else {
                          self->pass_on(way);
                        }
                      });
  }

  void close() {
    error_code ignored;
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

}  // namespace meridian::testing
