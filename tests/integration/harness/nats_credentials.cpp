#include "integration/harness/nats_credentials.hpp"

#include "integration/harness/require.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

namespace meridian::test {

namespace {

using KeyHandle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using SignHandle = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

/// Encodes without padding, as both encodings are used here.
std::string encode(std::string_view octets, std::string_view alphabet, unsigned digit_bits) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char octet : octets) {
    bits = bits << 8 | static_cast<unsigned char>(octet);
    for (have += 8; have >= digit_bits; have -= digit_bits) {
      text += alphabet[bits >> (have - digit_bits) & (alphabet.size() - 1)];
    }
  }
  if (have > 0) {
    text += alphabet[bits << (digit_bits - have) & (alphabet.size() - 1)];
  }
  return text;
}

std::string base32(std::string_view octets) {
  return encode(octets, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5);
}

std::string base64_for_urls(std::string_view octets) {
  return encode(octets, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6);
}

/// The octets followed by their CRC-16/XMODEM, whose low octet comes first.
std::string with_checksum(std::string octets) {
  std::uint32_t crc = 0;
  for (const char octet : octets) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(octet)) << 8;
    for (int i = 0; i < 8; ++i) {
      crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    crc &= 0xFFFF;
  }
  octets += static_cast<char>(crc & 0xFF);
  octets += static_cast<char>(crc >> 8);
  return octets;
}

template <typename Octets>
std::string text_of(const Octets& octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

KeyHandle key_of(const std::array<unsigned char, 32>& seed) {
  KeyHandle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()),
                EVP_PKEY_free);
  require(key != nullptr, "no key");
  return key;
}

constexpr const char* account_claims =
    R"({"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,)"
    R"("conn":-1,"leaf":-1,"mem_storage":-1,"disk_storage":-1,"streams":-1,"consumer":-1},)"
    R"("type":"account","version":2})";
// The server's own account must not have JetStream.
constexpr const char* system_account_claims =
    R"({"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,)"
    R"("conn":-1,"leaf":-1},"type":"account","version":2})";

}  // namespace

NatsKey::NatsKey(Role role) : role_(role) {
  require(RAND_bytes(seed_.data(), static_cast<int>(seed_.size())) == 1, "no random octets");
}

NatsKey::Octets NatsKey::public_octets() const {
  Octets octets{};
  std::size_t size = octets.size();
  require(EVP_PKEY_get_raw_public_key(key_of(seed_).get(), octets.data(), &size) == 1,
          "no public key");
  return octets;
}

std::string NatsKey::public_text() const {
  return base32(with_checksum(static_cast<char>(role_) + text_of(public_octets())));
}

std::string NatsKey::seed_text() const {
  constexpr unsigned seed_prefix = 18 << 3;
  const auto role = static_cast<unsigned>(role_);
  std::string octets;
  octets += static_cast<char>(seed_prefix | role >> 5);
  octets += static_cast<char>((role & 31) << 3);
  return base32(with_checksum(octets + text_of(seed_)));
}

std::string NatsKey::sign(std::string_view text) const {
  const KeyHandle key = key_of(seed_);
  const SignHandle context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, 64> signature{};
  std::size_t size = signature.size();
  require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), signature.data(), &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1,
          "no signature");
  return text_of(signature);
}

std::string NatsKey::vouch_for(const NatsKey& subject, std::string_view claims) const {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string body =
      fmt::format(R"({{"jti":"{0}","iat":{1},"iss":"{2}","name":"test","sub":"{0}","nats":{3}}})",
                  subject.public_text(), now, public_text(), claims);
  const std::string text =
      base64_for_urls(R"({"typ":"JWT","alg":"ed25519-nkey"})") + "." + base64_for_urls(body);
  return text + "." + base64_for_urls(sign(text));
}

std::string NatsOperator::configuration() const {
  const std::string operator_token =
      operator_.vouch_for(operator_, R"({"type":"operator","version":2})");
  return fmt::format(
      "operator: \"{}\"\n"
      "system_account: {}\n"
      "resolver: MEMORY\n"
      "resolver_preload: {{ {}: \"{}\", {}: \"{}\" }}\n",
      operator_token, system_account_.public_text(), account_.public_text(),
      operator_.vouch_for(account_, account_claims), system_account_.public_text(),
      operator_.vouch_for(system_account_, system_account_claims));
}

std::string NatsOperator::new_user(std::string_view permissions) const {
  const NatsKey user(NatsKey::Role::user);
  const std::string token = account_.vouch_for(
      user, fmt::format(R"({{"pub":{},"sub":{{}},"subs":-1,"data":-1,"payload":-1,)"
                        R"("type":"user","version":2}})",
                        permissions));
  return fmt::format(
      "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n"
      "-----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
      token, user.seed_text());
}

}  // namespace meridian::test
