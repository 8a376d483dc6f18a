/// Keys and tokens of NATS's operator mode. An operator vouches for accounts, and an account
/// vouches for users. A user proves that it has the key that its token names.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace meridian::test {

/// An Ed25519 key with a role.
class NatsKey {
 public:
  enum class Role : unsigned char { operator_ = 14 << 3, account = 0, user = 20 << 3 };

  explicit NatsKey(Role role);

  /// The keys as the server writes them: "UABC…".
  [[nodiscard]] std::string public_text() const;
  [[nodiscard]] std::string seed_text() const;

  /// A token about `subject`, signed with this key. `claims` is the JSON of its field `nats`.
  [[nodiscard]] std::string vouch_for(const NatsKey& subject, std::string_view claims) const;

 private:
  using Octets = std::array<unsigned char, 32>;

  [[nodiscard]] Octets public_octets() const;
  [[nodiscard]] std::string sign(std::string_view text) const;

  Role role_;
  Octets seed_{};
};

/// An operator with one account that has JetStream.
class NatsOperator {
 public:
  /// Lines for the configuration of a server that trusts the operator.
  [[nodiscard]] std::string configuration() const;

  /// The content of a credentials file for a new user. `permissions` is JSON that says what the
  /// user may publish, such as {"deny": ["meridian.>"]}.
  [[nodiscard]] std::string new_user(std::string_view permissions = "{}") const;

 private:
  NatsKey operator_{NatsKey::Role::operator_};
  NatsKey account_{NatsKey::Role::account};
  NatsKey system_account_{NatsKey::Role::account};
};

}  // namespace meridian::test
