/// Hashes for tables whose keys come from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <unordered_map>

namespace meridian::inline v2::frame {

/// Hashes integers with a secret that each process draws anew. With the standard library's own hash
/// of an integer, which is the integer, a peer can choose ids that all share one bucket; without
/// the secret it cannot find such ids.
///
/// The upper half of `a * key + b`, computed modulo 2^128 with random `a` and `b`: for two
/// different keys, every pair of hashes is equally likely (multiply-add-shift, Dietzfelbinger
/// 1996). Values differ from process to process and must not be stored.
class KeyedHash {
 public:
  using is_avalanching = void;  // Boost's tables need not mix the hash again

  KeyedHash() : secret_(secret_of_process()) {}

  [[nodiscard]] std::size_t operator()(std::uint64_t key) const noexcept {
    return static_cast<std::size_t>((secret_.factor * key + secret_.summand) >> 64);
  }

 private:
  __extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using)
  struct Secret {
    Wide factor;
    Wide summand;
  };

  [[nodiscard]] static const Secret& secret_of_process() {
    static const Secret secret = [] {
      std::random_device random;
      const auto draw = [&random] {
        Wide drawn = 0;
        for (int i = 0; i < 4; ++i) {
          drawn = (drawn << 32) | random();
        }
        return drawn;
      };
      return Secret{.factor = draw(), .summand = draw()};
    }();
    return secret;
  }

  Secret secret_;  // a copy: a look-up need not check whether it was drawn
};

/// A table keyed by an integer that a peer, a client or a queried daemon chooses.
template <typename Key, typename Value>
using KeyedMap = std::unordered_map<Key, Value, KeyedHash>;

}  // namespace meridian::inline v2::frame
