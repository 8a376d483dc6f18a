/// NATS subjects: names made of tokens with dots between them.
#pragma once

#include <meridian/frame.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meridian::sink::jetstream {

/// The longest template, in octets. Servers accept subjects of some kilobytes, but such subjects
/// are unreadable.
inline constexpr std::size_t max_subject_bytes = 255;

/// Gives each origin the subject for its frames: "meridian.{satellite_id}.{channel_id}". Immutable.
class SubjectTemplate {
 public:
  /// Parses a template. It may contain the two placeholders, any number of times or not at all, and
  /// otherwise what a subject may contain: no empty tokens, no wildcards, no blanks or control
  /// characters, and no leading "$", which is reserved for the server. The error says what is wrong
  /// with the text.
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

/// Parses a text that was already checked as part of a configuration. Throws std::invalid_argument
/// if the text is not a template.
[[nodiscard]] SubjectTemplate read_subject(std::string_view text);

/// Whether `pattern` matches every subject that `filter` matches. Both may contain the wildcards
/// "*", for one token, and ">" at the end, for one or more tokens.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view filter);

}  // namespace meridian::sink::jetstream
