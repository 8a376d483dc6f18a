/// Subjects of NATS: names out of tokens with dots between them.
#pragma once

#include <meridian/frame.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meridian::sink {

/// Octets of a template. Servers take subjects of some kilobytes; nobody can read them.
inline constexpr std::size_t max_subject_bytes = 255;

/// Which subject the frames of an origin go to: "meridian.{satellite_id}.{channel_id}". Immutable.
class SubjectTemplate {
 public:
  /// The error says what is wrong with the text. It may hold the two placeholders, any number of
  /// times or not at all, and else what a subject may: no empty tokens, no wildcards, no blanks or
  /// control characters, no "$" in front, which is the server's own.
  [[nodiscard]] static boost::system::result<SubjectTemplate, std::string> read(
      std::string_view text);

  [[nodiscard]] std::string expand(const Origin& origin) const;

  /// Whether each origin has a subject of its own.
  [[nodiscard]] bool tells_origins_apart() const noexcept;

  /// The narrowest subject with wildcards that all expansions match: "meridian.*.*".
  [[nodiscard]] std::string filter() const;

 private:
  enum class Placeholder : std::uint8_t { satellite_id, channel_id };
  using Part = std::variant<std::string, Placeholder>;

  SubjectTemplate() = default;

  std::vector<Part> parts_;
};

/// For a text that was read before, with a configuration. Throws std::invalid_argument where it is
/// no template.
[[nodiscard]] SubjectTemplate read_subject(std::string_view text);

/// Whether `pattern` matches all that `filter` matches. Both may have the wildcards "*", for one
/// token, and ">" at the end, for one or more.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view filter);

}  // namespace meridian::sink
