// Who is let in, and who is trusted.
#include "integration/harness/certificate.hpp"
#include "integration/harness/nats_credentials.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/test_sink.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace meridian::test {
namespace {

using nats::Refusal;
using testing::HasSubstr;
using testing::Not;

class NatsSecurity : public test::NatsTest {
 protected:
  NatsServer& start(std::string lines) {
    server_ = std::make_unique<NatsServer>(test::NatsConfig{.lines = std::move(lines)});
    server_->start();
    return *server_;
  }

  /// That a message is stored, with these options.
  static void expect_delivery(const sink::Options& options) {
    create_stream(options);
    TestSink sink(options);
    ASSERT_TRUE(sink.connected());
    EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 5))), "acknowledged");
  }

  /// What a sink says that is not let in.
  static std::string refused(const sink::Options& options, Refusal refusal) {
    TestSink sink(options);
    std::string text = sink.refused_as(refusal);
    EXPECT_EQ(sink.fate(sink.publish(message_of("one", 1, 5))), name_of(refusal));
    return text;
  }

  NatsServer& server() { return *server_; }
  [[nodiscard]] const TempDir& directory() const { return directory_; }

 private:
  TempDir directory_;
  std::unique_ptr<NatsServer> server_;
};

constexpr const char* users =
    "authorization { users: [\n"
    "  { user: alice, password: sesame }\n"
    "  { user: bob, password: sesame, permissions: { publish: { deny: \"meridian.>\" } } }\n"
    "] }\n";

TEST_F(NatsSecurity, UserAndPasswordInTheUrlAreUsed) {
  start(users);
  expect_delivery(sink_options({server().url("alice:sesame")}));
}

TEST_F(NatsSecurity, PasswordWithSpecialCharactersIsDecoded) {
  start("authorization { users: [ { user: \"a/b\", password: \"p@ss:w%rd/\\\"\\\\\" } ] }\n");
  expect_delivery(sink_options({server().url("a%2Fb:p%40ss%3Aw%25rd%2F%22%5C")}));
}

TEST_F(NatsSecurity, ATokenIsDecoded) {
  start("authorization { token: \"t@ken\" }\n");
  expect_delivery(sink_options({server().url("t%40ken")}));
}

TEST_F(NatsSecurity, AWrongPasswordIsNamedAndNotShown) {
  start(users);
  const std::string text =
      refused(sink_options({server().url("alice:mellon")}), Refusal::authorization);
  EXPECT_THAT(text, HasSubstr(server().url()));
  EXPECT_THAT(text, Not(HasSubstr("mellon")));
}

TEST_F(NatsSecurity, NoUserIsNamed) {
  start(users);
  refused(sink_options({server().url()}), Refusal::authorization);
}

TEST_F(NatsSecurity, AttemptsGoOnDespiteWrongPasswords) {
  start(users);
  TestSink sink(sink_options({server().url("carol:sesame")}));
  // Two of them would end a connection of the client library for good.
  ASSERT_TRUE(test::eventually([&] { return sink.states().size() >= 4; }));
  server().stop();
  server().configure("authorization { user: carol, password: sesame }\n");
  server().start();
  EXPECT_TRUE(sink.connected());
}

TEST_F(NatsSecurity, ForbiddenSubjectIsNamed) {
  start(users);
  create_stream(sink_options({server().url("alice:sesame")}));
  TestSink sink(sink_options({server().url("bob:sesame")}));
  ASSERT_TRUE(sink.connected());
  const auto outcome = sink.outcome(sink.publish(message_of("one", 1, 5)));
  const auto why = std::get<nats::Rejection>(outcome.result);
  EXPECT_EQ(why.refusal, Refusal::authorization);
  EXPECT_THAT(why.text, HasSubstr("meridian.7.3"));
}

TEST_F(NatsSecurity, CredentialsInAFileAreUsed) {
  const NatsOperator nats_operator;
  start(nats_operator.configuration());
  sink::Options options = sink_options({server().url()});
  options.jetstream.credentials = directory().write("user.creds", nats_operator.new_user());
  expect_delivery(options);
}

TEST_F(NatsSecurity, CredentialsOfAnotherOperatorAreRefused) {
  start(NatsOperator().configuration());
  sink::Options options = sink_options({server().url()});
  options.jetstream.credentials = directory().write("user.creds", NatsOperator().new_user());
  refused(options, Refusal::authorization);
}

TEST_F(NatsSecurity, CredentialsThatCannotBeReadAreNamed) {
  start("");
  sink::Options options = sink_options({server().url()});
  options.jetstream.credentials = directory().file("missing.creds");
  EXPECT_THAT(refused(options, Refusal::authorization), HasSubstr("missing.creds"));
}

TEST_F(NatsSecurity, CredentialsThatAreNoneAreNamed) {
  const NatsOperator nats_operator;
  start(nats_operator.configuration());
  sink::Options options = sink_options({server().url()});
  options.jetstream.credentials = directory().write("user.creds", "nothing of that kind\n");
  EXPECT_THAT(refused(options, Refusal::authorization), HasSubstr("user.creds"));
}

/// Speaks as a NATS server does to whoever connects, and refuses the first ones.
class RefusingServer {
 public:
  explicit RefusingServer(int refusals) : refusals_(refusals) {
    accept();
    thread_ = std::jthread([this] { context_.run(); });
  }
  RefusingServer(const RefusingServer&) = delete;
  RefusingServer& operator=(const RefusingServer&) = delete;
  ~RefusingServer() { context_.stop(); }

  [[nodiscard]] std::string url() const {
    return "nats://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  using tcp = boost::asio::ip::tcp;
  struct Connection {
    tcp::socket socket;
    std::string said{};
    std::string answer{};
  };

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& failed, tcp::socket socket) {
      if (failed) {
        return;
      }
      const bool refused = connections_++ < refusals_;
      greet(std::make_shared<Connection>(Connection{std::move(socket)}), refused);
      accept();
    });
  }

  void greet(const std::shared_ptr<Connection>& peer, bool refused) {
    static const std::string info =
        R"(INFO {"server_id":"X","version":"2.9.10","proto":1,"headers":true,)"
        R"("auth_required":true,"nonce":"abcdefghijklmnop","max_payload":1048576})"
        "\r\n";
    peer->answer = refused ? "-ERR 'Authorization Violation'\r\n" : "PONG\r\n";
    boost::asio::async_write(
        peer->socket, boost::asio::buffer(info),
        [this, peer, refused](const boost::system::error_code& failed, std::size_t) {
          if (!failed) {
            answer_pings(peer, refused);
          }
        });
  }

  void answer_pings(const std::shared_ptr<Connection>& peer, bool refused) {
    boost::asio::async_read_until(
        peer->socket, boost::asio::dynamic_buffer(peer->said), "PING\r\n",
        [this, peer, refused](const boost::system::error_code& failed, std::size_t count) {
          if (failed) {
            return;
          }
          peer->said.erase(0, count);
          boost::system::error_code ignored;
          boost::asio::write(peer->socket, boost::asio::buffer(peer->answer), ignored);
          if (!refused) {
            answer_pings(peer, refused);
          }
        });
  }

  boost::asio::io_context context_{1};
  tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  const int refusals_;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

/// A user whose signature may be lost on its way, as the library loses one of 256.
class NatsSignature : public NatsSecurity {
 protected:
  nats::Result<std::shared_ptr<nats::Session>> connect_to(const RefusingServer& server) {
    sink::Options options = sink_options({server.url()});
    options.jetstream.credentials = directory().write("user.creds", NatsOperator().new_user());
    return nats::Session::connect(options.jetstream.connection(options.name));
  }
};

TEST_F(NatsSignature, ThatIsLostIsMadeOnceMore) {
  const RefusingServer server(1);
  const auto session = connect_to(server);
  ASSERT_TRUE(session.has_value()) << session.error().text;
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(NatsSignature, ThatIsRefusedAgainAndAgainIsRefused) {
  const RefusingServer server(3);
  const auto session = connect_to(server);
  ASSERT_FALSE(session.has_value());
  EXPECT_EQ(session.error().refusal, Refusal::authorization);
  EXPECT_EQ(server.connections(), 3);
}

/// A server with a certificate for `names`.
std::string tls_lines(const Certificate& certificate, const std::string& more = "") {
  return "tls { cert_file: \"" + certificate.certificate_file + "\", key_file: \"" +
         certificate.key_file + "\"" + more + " }\n";
}

TEST_F(NatsSecurity, AServerWithATrustedCertificateIsUsed) {
  const Certificate certificate = make_certificate(directory(), "server", "IP:127.0.0.1");
  start(tls_lines(certificate));
  sink::Options options = sink_options({server().url("", "tls")});
  options.jetstream.tls.ca_file = certificate.certificate_file;
  expect_delivery(options);
  options.jetstream.servers = {server().url()};
  options.jetstream.tls.enabled = true;
  TestSink sink(options);
  EXPECT_TRUE(sink.connected());
}

TEST_F(NatsSecurity, AnUnknownCertificateIsRefused) {
  start(tls_lines(make_certificate(directory(), "server", "IP:127.0.0.1")));
  sink::Options options = sink_options({server().url("", "tls")});
  refused(options, Refusal::tls);
  options.jetstream.tls.ca_file =
      make_certificate(directory(), "other", "IP:127.0.0.1").certificate_file;
  refused(options, Refusal::tls);
}

TEST_F(NatsSecurity, ACertificateForSomebodyElseIsRefused) {
  const Certificate certificate = make_certificate(directory(), "server", "IP:127.0.0.2,DNS:other");
  start(tls_lines(certificate));
  sink::Options options = sink_options({server().url("", "tls")});
  options.jetstream.tls.ca_file = certificate.certificate_file;
  refused(options, Refusal::tls);
}

TEST_F(NatsSecurity, TlsOnOneSideOnlyIsRefused) {
  const Certificate certificate = make_certificate(directory(), "server", "IP:127.0.0.1");
  start(tls_lines(certificate));
  sink::Options options = sink_options({server().url()});
  refused(options, Refusal::tls);
  server().stop();
  server().configure("");
  server().start();
  options.jetstream.tls.enabled = true;
  refused(options, Refusal::tls);
}

TEST_F(NatsSecurity, OurOwnCertificateIsShown) {
  const Certificate certificate = make_certificate(directory(), "server", "IP:127.0.0.1");
  const Certificate own = make_certificate(directory(), "own", "DNS:sink");
  start(tls_lines(certificate, ", verify: true, ca_file: \"" + own.certificate_file + "\""));
  sink::Options options = sink_options({server().url("", "tls")});
  options.jetstream.tls.ca_file = certificate.certificate_file;
  {
    TestSink sink(options);
    EXPECT_THAT(sink.refused_as(Refusal::tls), HasSubstr("client certificate"));
  }
  options.jetstream.tls.certificate_file = own.certificate_file;
  options.jetstream.tls.key_file = own.key_file;
  expect_delivery(options);
}

TEST_F(NatsSecurity, UnreadableCertificateFileIsNamed) {
  start("");
  sink::Options options = sink_options({server().url()});
  options.jetstream.tls = {.enabled = true,
                           .ca_file = directory().file("missing.pem"),
                           .certificate_file = {},
                           .key_file = {}};
  EXPECT_THAT(refused(options, Refusal::tls), HasSubstr("missing.pem"));
}

}  // namespace
}  // namespace meridian::test
