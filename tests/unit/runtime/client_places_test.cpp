#include "runtime/client_places.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::test {

using namespace runtime;

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

enum class Manner { steady, yielding };

class PlacedClient : public std::enable_shared_from_this<PlacedClient> {
 public:
  PlacedClient(std::chrono::seconds connected_at, Manner manner)
      : manner_(manner), tenure_(Tenure::Clock::time_point(connected_at)) {}

  [[nodiscard]] const Tenure& tenure() const noexcept { return tenure_; }
  [[nodiscard]] Manner manner() const noexcept { return manner_; }
  void leave_place() { tenure_.end(); }

 private:
  const Manner manner_;
  Tenure tenure_;
};

class ClientPlaces : public testing::Test {
 protected:
  std::shared_ptr<PlacedClient> connect(std::chrono::seconds at, Manner manner) {
    auto client = std::make_shared<PlacedClient>(at, manner);
    EXPECT_TRUE(clients_.add(client));
    return client;
  }
  [[nodiscard]] std::optional<std::vector<std::shared_ptr<PlacedClient>>> displaced(
      std::size_t most) const {
    return clients_to_displace(clients_, most, [](const PlacedClient& client) {
      return client.manner() == Manner::yielding;
    });
  }

  boost::asio::io_context context_;
  StopGroup<PlacedClient> clients_{context_.get_executor()};
};

TEST_F(ClientPlaces, NoneIsGivenUpWhileOneIsFree) {
  connect(1s, Manner::yielding);
  EXPECT_THAT(displaced(2), Optional(IsEmpty()));
}

TEST_F(ClientPlaces, TheOneConnectedLongestGivesUpItsPlace) {
  connect(1s, Manner::steady);
  connect(3s, Manner::yielding);
  const auto oldest = connect(2s, Manner::yielding);
  connect(4s, Manner::yielding);
  EXPECT_THAT(displaced(4), Optional(ElementsAre(oldest)));
}

TEST_F(ClientPlaces, AClientOnItsWayOutHasNone) {
  connect(1s, Manner::yielding)->leave_place();
  const auto other = connect(2s, Manner::yielding);
  EXPECT_THAT(displaced(2), Optional(IsEmpty()));
  EXPECT_THAT(displaced(1), Optional(ElementsAre(other)));
}

TEST_F(ClientPlaces, OneMoreNeedsSeveralAfterTheLimitFell) {
  const auto third = connect(3s, Manner::yielding);
  const auto first = connect(1s, Manner::yielding);
  connect(4s, Manner::yielding);
  const auto second = connect(2s, Manner::yielding);
  EXPECT_THAT(displaced(2), Optional(ElementsAre(first, second, third)));
}

TEST_F(ClientPlaces, NoneIsFreedIfTooFewMayLeave) {
  connect(1s, Manner::yielding);
  connect(2s, Manner::steady);
  connect(3s, Manner::steady);
  EXPECT_TRUE(displaced(3).has_value());
  EXPECT_FALSE(displaced(2).has_value()) << "two would have to leave";
}

TEST_F(ClientPlaces, AskingEndsNoTenure) {
  const auto client = connect(1s, Manner::yielding);
  EXPECT_THAT(displaced(1), Optional(ElementsAre(client)));
  EXPECT_FALSE(client->tenure().has_ended());
  client->leave_place();
  EXPECT_TRUE(client->tenure().has_ended());
  EXPECT_THAT(displaced(1), Optional(IsEmpty()));
}

}  // namespace
}  // namespace meridian::test
