#include "sink/jetstream/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace meridian::sink::jetstream {

namespace {

constexpr std::string_view satellite_text = "{satellite_id}";
constexpr std::string_view channel_text = "{channel_id}";

/// Takes the first token off `rest`.
std::string_view next_token(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view token = rest.substr(0, dot);
  rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
  return token;
}

bool stands_for_octet(char octet) {
  const auto value = static_cast<unsigned char>(octet);
  return value > 0x20 && value != 0x7F && octet != '*' && octet != '>';
}

/// What is wrong with a text, apart from its placeholders. "" if nothing is.
std::string complaint_about(std::string_view text) {
  if (text.empty()) {
    return "must not be empty";
  }
  if (text.size() > max_subject_bytes) {
    return fmt::format("must not be longer than {} bytes", max_subject_bytes);
  }
  if (text.front() == '$') {
    return "must not begin with $, which is for the server's own subjects";
  }
  if (text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos) {
    return "must not have an empty token";
  }
  if (!std::ranges::all_of(text, stands_for_octet)) {
    return "must not have a blank, a control character or a wildcard";
  }
  return "";
}

}  // namespace

boost::system::result<SubjectTemplate, std::string> SubjectTemplate::read(std::string_view text) {
  std::string complaint = complaint_about(text);
  if (!complaint.empty()) {
    return complaint;
  }
  SubjectTemplate read;
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
    if (brace > 0) {
      read.parts_.emplace_back(std::string(text.substr(0, brace)));
    } else if (text.starts_with(satellite_text)) {
      read.parts_.emplace_back(Placeholder::satellite_id);
    } else if (text.starts_with(channel_text)) {
      read.parts_.emplace_back(Placeholder::channel_id);
    } else {
      return fmt::format("must not have a brace that is not part of {} or {}", satellite_text,
                         channel_text);
    }
    const std::size_t end = brace > 0 ? brace : text.find('}') + 1;
    text.remove_prefix(end);
  }
  return read;
}

std::string SubjectTemplate::expand(const Origin& origin) const {
  std::string subject;
  for (const Part& part : parts_) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      subject += *text;
    } else if (std::get<Placeholder>(part) == Placeholder::satellite_id) {
      subject += std::to_string(origin.satellite_id);
    } else {
      subject += std::to_string(origin.channel_id);
    }
  }
  return subject;
}

bool SubjectTemplate::tells_origins_apart() const noexcept {
  // Two numbers can be told apart only if there is a non-digit between them.
  const auto is_number = [](const Part& part) { return std::holds_alternative<Placeholder>(part); };
  const auto separates = [](const Part& part) {
    const auto* const text = std::get_if<std::string>(&part);
    return text != nullptr && text->find_first_not_of("0123456789") != std::string::npos;
  };
  auto number = std::ranges::find_if(parts_, is_number);
  while (number != parts_.end()) {
    const auto next = std::find_if(std::next(number), parts_.end(), is_number);
    if (next != parts_.end() && std::none_of(number, next, separates)) {
      return false;
    }
    number = next;
  }
  return std::ranges::find(parts_, Part(Placeholder::satellite_id)) != parts_.end() &&
         std::ranges::find(parts_, Part(Placeholder::channel_id)) != parts_.end();
}

std::string SubjectTemplate::filter() const {
  // A wildcard is always a whole token: it replaces a placeholder together with the text around it.
  std::string marked;
  for (const Part& part : parts_) {
    const auto* text = std::get_if<std::string>(&part);
    marked += text != nullptr ? *text : "*";
  }
  std::string filter;
  for (std::string_view rest = marked; !rest.empty();) {
    const std::string_view token = next_token(rest);
    filter += filter.empty() ? "" : ".";
    filter += token.find('*') == std::string_view::npos ? token : "*";
  }
  return filter;
}

SubjectTemplate read_subject(std::string_view text) {
  auto subject = SubjectTemplate::read(text);
  if (!subject) {
    throw std::invalid_argument(fmt::format("the subject {} {}", text, subject.error()));
  }
  return std::move(*subject);
}

bool covers(std::string_view pattern, std::string_view filter) {
  while (!pattern.empty() && !filter.empty()) {
    const std::string_view wide = next_token(pattern);
    const std::string_view narrow = next_token(filter);
    if (wide == ">") {
      return true;
    }
    if (narrow == ">" || (wide != "*" && wide != narrow)) {
      return false;
    }
  }
  return pattern.empty() && filter.empty();
}

}  // namespace meridian::sink::jetstream
