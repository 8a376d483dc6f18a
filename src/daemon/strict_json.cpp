#include "daemon/strict_json.hpp"

#include "daemon/config.hpp"
#include "runtime/printable.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace meridian::daemon {

namespace {

using Json = nlohmann::json;

constexpr std::size_t deepest = 16;

/// Follows the parser, to know where it is.
class Watch {
 public:
  bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        open(event == Json::parse_event_t::array_start);
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        open_.pop_back();
        count_element();
        break;
      case Json::parse_event_t::value:
        count_element();
        break;
      case Json::parse_event_t::key:
        open_.back().key = parsed.get<std::string>();
        if (!open_.back().keys.insert(open_.back().key).second) {
          throw ConfigError(fmt::format("{}: stands twice in one object; keep one", path()));
        }
        break;
    }
    return true;
  }

  /// Where the parser is, such as "uplinks[1].name".
  [[nodiscard]] std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.is_list) {
        path += fmt::format("[{}]", open.elements);
      } else {
        path += (path.empty() ? "" : ".") + shown_key(open.key);
      }
    }
    return path.empty() ? "the configuration" : path;
  }

 private:
  /// An object or a list that has begun and not ended.
  struct Open {
    bool is_list = false;
    std::size_t elements = 0;  // of a list, those that have ended
    std::string key{};         // of an object, the last one
    std::set<std::string> keys{};
  };

  void open(bool is_list) {
    if (open_.size() == deepest) {
      throw ConfigError(fmt::format("{}: nested too deeply", path()));
    }
    open_.push_back({.is_list = is_list});
  }

  void count_element() {
    if (!open_.empty() && open_.back().is_list) {
      ++open_.back().elements;
    }
  }

  std::vector<Open> open_;
};

}  // namespace

std::string shown_key(std::string_view key) {
  constexpr std::size_t longest = 60;
  const Json text(std::string(key.substr(0, longest)));
  const std::string quoted = text.dump(-1, ' ', true, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2) + (key.size() > longest ? "…" : "");
}

nlohmann::json parse_strictly(std::string_view text) {
  Watch watch;
  try {
    return Json::parse(text, std::ref(watch), /*allow_exceptions=*/true,
                       /*ignore_comments=*/true);
  } catch (const Json::out_of_range&) {
    throw ConfigError(fmt::format("{}: the number is too large", watch.path()));
  } catch (const Json::exception& error) {
    const std::string_view what = error.what();
    throw ConfigError(fmt::format("not valid JSON: {}",
                                  runtime::hide_passwords(what.substr(what.find(']') + 2))));
  }
}

}  // namespace meridian::daemon
