/// Tables of keys. A table says what each key of the configuration is called, what its value may
/// be, and where the value goes.
///
/// A room that can be configured has such a table for its options, and the daemon puts the tables
/// together. The daemon reads, checks and compares configurations by these tables. It also writes
/// the reference, the schema and the installed file from them. So all of these have every key.
#pragma once

#include "config/reader.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace meridian::config {

using Json = Reader::Json;

/// A year. No duration may be longer, so that a typo is noticed.
inline constexpr std::uint64_t most_seconds = 365 * 24 * 3600;

/// When a changed value takes effect.
enum class Applies : std::uint8_t { on_reload, on_restart };

/// What a value is in JSON.
enum class Kind : std::uint8_t { integer, boolean, text, text_or_null, choice, list, object };

/// Everything about a key apart from where its value goes.
struct KeyFacts {
  std::string_view name;  ///< in its object, such as "max_frames"
  Applies applies = Applies::on_reload;
  std::uint64_t least = 0;  ///< bound of an integer, or of the length of a list
  std::uint64_t most = 0;
  /// For an integer, what it counts: "frames". For a text, or for the elements of a list, what they
  /// are: "an absolute path".
  std::string_view of{};
  std::string_view sentence{};  ///< what the key is; code is between backticks, as in `details`
  std::string_view details{};   ///< what else one must know about the key; "" if nothing
  bool required = false;        ///< there is no default
  Kind kind = Kind::integer;    ///< set by the functions below
  std::span<const std::string_view> choices{};  ///< set by `choice`
};

/// A key whose value goes into a `T`.
template <typename T>
struct Key {
  KeyFacts facts;
  /// Throws Error. Leaves the target unchanged if the key is missing.
  void (*read)(Reader&, const KeyFacts&, T&) = nullptr;
  /// The value as a configuration would have it.
  Json (*value)(const T&) = nullptr;
  void (*copy)(const T& from, T& to) = nullptr;
};

template <typename T>
using Keys = std::span<const Key<T>>;

/// Only the names, out of pairs of a name and its value in an enumeration.
template <const auto& names>
inline constexpr auto names_alone = [] {
  std::array<std::string_view, names.size()> alone;
  for (std::size_t i = 0; i < names.size(); ++i) {
    alone[i] = names[i].first;
  }
  return alone;
}();

template <typename V>
inline constexpr bool is_duration = false;
template <typename Rep, typename Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <typename V>
void read_value(Reader& reader, const KeyFacts& facts, V& value) {
  if constexpr (is_duration<V>) {
    auto count = static_cast<std::uint64_t>(value.count());
    reader.read(facts.name, count, facts.least, facts.most);
    value = V(count);
  } else if constexpr (std::same_as<V, bool> || std::same_as<V, std::string>) {
    reader.read(facts.name, value);
  } else {
    reader.read(facts.name, value, facts.least, facts.most);
  }
}

template <typename V>
[[nodiscard]] Json value_as_json(const V& value) {
  if constexpr (is_duration<V>) {
    return value.count();
  } else {
    return value;
  }
}

template <typename V>
inline constexpr Kind kind_of = std::same_as<V, bool>          ? Kind::boolean
                                : std::same_as<V, std::string> ? Kind::text
                                                               : Kind::integer;

// In what follows, `member` is a lambda that returns a reference to a part of a `T`, or of a const
// `T`: `[](auto& options) -> auto& { return options.limit; }`.

/// A key with functions of its own. `read` gets the reader of the whole object, so that it can
/// depend on keys that precede it in the table.
template <typename T, auto member>
[[nodiscard]] constexpr Key<T> own(Kind kind, KeyFacts facts,
                                   void (*read)(Reader&, const KeyFacts&, T&),
                                   Json (*value)(const T&)) {
  facts.kind = kind;
  return {facts, read, value, [](const T& from, T& to) { member(to) = member(from); }};
}

/// A key for a boolean, a text, an integer from `facts.least` to `facts.most`, or a duration whose
/// count is such an integer.
template <typename T, auto member>
[[nodiscard]] constexpr Key<T> key(const KeyFacts& facts) {
  using Value = std::remove_cvref_t<std::invoke_result_t<decltype(member), T&>>;
  return own<T, member>(
      kind_of<Value>, facts,
      [](Reader& reader, const KeyFacts& about, T& target) {
        read_value(reader, about, member(target));
      },
      [](const T& target) { return value_as_json(member(target)); });
}

/// A key for one of the `names` of an enumeration, which are pairs of a name and a value.
template <typename T, auto member, const auto& names>
[[nodiscard]] constexpr Key<T> choice(KeyFacts facts) {
  using Value = std::remove_cvref_t<std::invoke_result_t<decltype(member), T&>>;
  facts.choices = names_alone<names>;
  return own<T, member>(
      Kind::choice, facts,
      [](Reader& reader, const KeyFacts& about, T& target) {
        reader.read(about.name, member(target),
                    std::span<const std::pair<std::string_view, Value>>(names));
      },
      [](const T& target) {
        for (const auto& [name, value] : names) {
          if (value == member(target)) {
            return Json(name);
          }
        }
        return Json();
      });
}

/// A key for the absolute path of a file. Null means "", and so does a missing key.
template <typename T, auto member>
[[nodiscard]] constexpr Key<T> file_or_null(KeyFacts facts) {
  facts.of = "an absolute path";
  return own<T, member>(
      Kind::text_or_null, facts,
      [](Reader& reader, const KeyFacts& about, T& target) {
        if (reader.find(about.name) == nullptr) {
          return;
        }
        std::optional<std::string> given;
        reader.read_or_null(about.name, given);
        if (given && !given->starts_with('/')) {
          reader.fail(about.name, "must be the absolute path of a file, or null", *given);
        }
        member(target) = given.value_or("");
      },
      [](const T& target) { return member(target).empty() ? Json() : Json(member(target)); });
}

/// Reads all keys of an object. Throws Error.
template <typename T>
void read_all(Reader& reader, Keys<T> keys, T& target) {
  for (const Key<T>& each : keys) {
    each.read(reader, each.facts, target);
  }
}

/// The keys whose values differ.
template <typename T>
[[nodiscard]] std::vector<const KeyFacts*> changed_keys(Keys<T> keys, const T& now, const T& next) {
  std::vector<const KeyFacts*> changed;
  for (const Key<T>& each : keys) {
    if (each.value(now) != each.value(next)) {
      changed.push_back(&each.facts);
    }
  }
  return changed;
}

/// Gives `next` the values of `now` for all keys that apply only on a restart.
template <typename T>
void keep_until_restart(Keys<T> keys, const T& now, T& next) {
  for (const Key<T>& each : keys) {
    if (each.facts.applies == Applies::on_restart) {
      each.copy(now, next);
    }
  }
}

}  // namespace meridian::config
