#include "runtime/json_scan.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::runtime {

namespace {

using Json = nlohmann::json;

constexpr std::string_view id_key = "id";

std::string quoted(std::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// Follows the parser: knows where it is, and what it has seen. Continues after a fault that does
/// not stop the parser, so that it finds the id wherever that is. Skips everything below the
/// deepest level.
class Watch final : public nlohmann::json_sax<Json> {
 public:
  explicit Watch(const JsonRules& rules) : deepest_(rules.deepest) {}

  [[nodiscard]] JsonScan result() && {
    if (ids_ != 1) {
      scan_.id.reset();
    }
    return std::move(scan_);
  }

  bool null() override { return value("null"); }
  bool boolean(bool /*value*/) override { return value(std::nullopt); }
  bool number_integer(number_integer_t number) override {
    // Only negative integers come here, so 0 was written as -0, and has lost its sign.
    return value(number == 0 ? "-0" : std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) override { return value(std::to_string(number)); }
  bool number_float(number_float_t /*number*/, const string_t& text) override {
    return value(text);
  }
  bool string(string_t& text) override {
    return is_id() ? value(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
                   : value(std::nullopt);
  }
  bool binary(binary_t& /*octets*/) override { return value(std::nullopt); }

  bool start_object(std::size_t /*elements*/) override { return open(/*is_list=*/false); }
  bool start_array(std::size_t /*elements*/) override { return open(/*is_list=*/true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& text) override {
    if (beyond_ > 0) {
      return true;
    }
    Open& object = open_.back();
    object.key = text;
    if (open_.size() == 1 && text == id_key) {
      ++ids_;
    }
    if (!object.keys.insert(text).second) {
      note(JsonFault::Kind::doubled_key);
    }
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    constexpr int out_of_range = 406;
    if (error.id == out_of_range) {
      note(JsonFault::Kind::number_too_large);
      return false;
    }
    const std::string_view what = error.what();
    scan_.fault = JsonFault{.kind = JsonFault::Kind::not_json,
                            .path = "",
                            .reason = std::string(what.substr(what.find(']') + 2))};
    return false;
  }

 private:
  /// An object or a list that has begun but not ended.
  struct Open {
    bool is_list = false;
    std::size_t elements = 0;  // of a list: how many have ended
    std::string key{};         // of an object: the latest
    std::set<std::string> keys{};
  };

  bool open(bool is_list) {
    if (open_.size() == deepest_) {
      if (beyond_++ == 0) {
        note(JsonFault::Kind::nested_too_deeply);
      }
      return true;
    }
    open_.push_back({.is_list = is_list});
    return true;
  }

  bool close() {
    if (beyond_ > 0) {
      --beyond_;
      return true;
    }
    open_.pop_back();
    count_element();
    return true;
  }

  /// `text` is the value as JSON text, which is sent back if it is the id. No value: it cannot be
  /// an id.
  bool value(std::optional<std::string> text) {
    if (beyond_ > 0) {
      return true;
    }
    if (is_id()) {
      scan_.id = std::move(text);
    }
    count_element();
    return true;
  }

  [[nodiscard]] bool is_id() const {
    return open_.size() == 1 && beyond_ == 0 && !open_.front().is_list &&
           open_.front().key == id_key;
  }

  void count_element() {
    if (!open_.empty() && open_.back().is_list) {
      ++open_.back().elements;
    }
  }

  void note(JsonFault::Kind kind) {
    if (!scan_.fault) {
      scan_.fault = JsonFault{.kind = kind, .path = path(), .reason = ""};
    }
  }

  [[nodiscard]] std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.is_list) {
        path += fmt::format("[{}]", open.elements);
      } else {
        path += (path.empty() ? "" : ".") + shown_key(open.key);
      }
    }
    return path;
  }

  const std::size_t deepest_;
  std::vector<Open> open_;
  std::size_t beyond_ = 0;  // objects and lists that are open below the deepest level
  std::size_t ids_ = 0;     // keys named "id" in the outermost object
  JsonScan scan_;
};

}  // namespace

JsonScan scan_json(std::string_view text, const JsonRules& rules) {
  Watch watch(rules);
  // The watch has noted whether the parser stopped early.
  std::ignore = Json::sax_parse(text, &watch, Json::input_format_t::json, /*strict=*/true,
                                /*ignore_comments=*/rules.comments);
  return std::move(watch).result();
}

bool is_nested_deeper(std::string_view json, std::size_t levels) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > levels) {
        return true;
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::string shown_key(std::string_view key) {
  constexpr std::size_t longest = 60;
  const std::string text = quoted(key.substr(0, longest));
  return text.substr(1, text.size() - 2) + (key.size() > longest ? "…" : "");
}

}  // namespace meridian::runtime
