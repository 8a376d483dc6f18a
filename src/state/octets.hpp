/// Integers as they are in a saved state: big-endian.
#pragma once

#include <boost/endian/conversion.hpp>

#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace meridian::state {

/// Appends integers to octets.
class OctetWriter {
 public:
  template <std::integral T>
  void put(T value) {
    const T big = boost::endian::native_to_big(value);
    const auto* const begin = reinterpret_cast<const std::byte*>(&big);
    octets_.insert(octets_.end(), begin, begin + sizeof big);
  }

  void put(std::span<const std::byte> octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
  }

  [[nodiscard]] std::vector<std::byte> octets() && noexcept { return std::move(octets_); }

 private:
  std::vector<std::byte> octets_;
};

/// Reads integers from the front of octets. Missing octets read as 0, and then `ok` is false.
class OctetReader {
 public:
  explicit OctetReader(std::span<const std::byte> octets) noexcept : rest_(octets) {}

  template <std::integral T>
  [[nodiscard]] T get() noexcept {
    T big{};
    if (rest_.size() < sizeof big) {
      ok_ = false;
      rest_ = {};
      return big;
    }
    std::memcpy(&big, rest_.data(), sizeof big);
    rest_ = rest_.subspan(sizeof big);
    return boost::endian::big_to_native(big);
  }

  /// The next `count` octets; none if there are fewer.
  [[nodiscard]] std::span<const std::byte> take(std::size_t count) noexcept {
    if (rest_.size() < count) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::span<const std::byte> taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

  /// Whether there were enough octets for every call.
  [[nodiscard]] bool ok() const noexcept { return ok_; }

  /// Whether `ok` holds and nothing is left.
  [[nodiscard]] bool complete() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool ok_ = true;
};

}  // namespace meridian::state
