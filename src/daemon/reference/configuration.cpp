// The keys of the configuration as documents.
#include "config/key.hpp"
#include "daemon/keys.hpp"
#include "daemon/read_config.hpp"
#include "daemon/reference/forms.hpp"
#include "daemon/reference/markup.hpp"
#include "runtime/default_socket.hpp"
#include "sink/jetstream/keys.hpp"
#include "sink/keys.hpp"
#include "status/json.hpp"
#include "uplink/keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

namespace meridian::daemon {

namespace {

using config::KeyFacts;
using config::Kind;
using OrderedJson = status::Json;

/// A key with its default.
struct Entry {
  std::string path;  ///< "buffer.max_frames", "uplinks[].name"
  const KeyFacts* facts = nullptr;
  OrderedJson default_value{};
};

struct Part {
  Section section;
  std::vector<Entry> entries;
};

template <typename T>
void add_entries(Part& part, const std::string& prefix, config::Keys<T> keys, const T& defaults) {
  for (const config::Key<T>& each : keys) {
    part.entries.push_back({.path = prefix + std::string(each.facts.name),
                            .facts = &each.facts,
                            .default_value = each.value(defaults)});
  }
}

/// The defaults of the installed service, even if another user prints them.
Config service_defaults() {
  Config config = default_config();
  config.control.socket = runtime::socket_of_the_service;
  config.state_directory.reset();
  return config;
}

/// Writes N for the index in the default name of a listener or sink.
std::string with_n(std::string name) {
  name.back() = 'N';
  return name;
}

Part uplinks_part() {
  Part part{uplinks_section, {}};
  uplink::ListenerOptions defaults = uplink::default_listener(0);
  defaults.name = with_n(defaults.name);
  add_entries(part, "uplinks[].", uplink::listener_keys(), defaults);
  return part;
}

Part sinks_part() {
  Part part{sinks_section, {}};
  sink::Options defaults = sink::default_sink(0);
  defaults.name = with_n(defaults.name);
  add_entries(part, "sinks[].", sink::sink_keys(), defaults);
  nats::Tls tls;
  tls.enabled = true;
  add_entries(part, "sinks[].tls.", sink::jetstream::tls_keys(), tls);
  return part;
}

/// All keys, in the order of the documents.
std::vector<Part> all_parts() {
  const Config defaults = service_defaults();
  std::vector<Part> parts{uplinks_part()};
  visit_sections([&](const Section& section, auto keys, auto part) {
    Part made{section, {}};
    add_entries(made, section.name.empty() ? "" : std::string(section.name) + ".", keys,
                part(defaults));
    parts.push_back(std::move(made));
  });
  parts.insert(parts.end() - 1, sinks_part());
  return parts;
}

std::string title_of(const Section& section) {
  return section.name.empty() ? "Other keys" : std::string(section.name);
}

std::string length_of_list(std::string_view list) {
  return list == uplinks_section.name
             ? fmt::format("List of 1 to {} listeners", uplink::most_listeners)
             : fmt::format("List of 0 to {} sinks", sink::most_sinks);
}

/// What values a key may have: "Integer, 1 to 64, in sessions".
std::string type_of(const KeyFacts& facts) {
  switch (facts.kind) {
    case Kind::integer:
      return fmt::format("Integer, {} to {}{}{}", facts.least, facts.most,
                         facts.of.empty() ? "" : ", in ", facts.of);
    case Kind::boolean:
      return "Boolean";
    case Kind::text:
      return fmt::format("String{}{}", facts.of.empty() ? "" : ", ", facts.of);
    case Kind::text_or_null:
      return fmt::format("String, {}, or null", facts.of);
    case Kind::choice:
      return fmt::format("One of `\"{}\"`", fmt::join(facts.choices, "\"`, `\""));
    case Kind::list:
      return fmt::format("List of {} to {} {}", facts.least, facts.most, facts.of);
    case Kind::object:
      return "Object, or null";
  }
  return "";
}

std::string when_of(const KeyFacts& facts) {
  return facts.applies == config::Applies::on_reload ? "applied by a reload" : "needs a restart";
}

/// "Integer, 1 to 64, in sessions; default `8`; applied by a reload."
std::string summary_of(const Entry& entry) {
  return fmt::format(
      "{}; {}; {}.", type_of(*entry.facts),
      entry.facts->required ? "required" : "default `" + status::dump(entry.default_value) + "`",
      when_of(*entry.facts));
}

std::string text_of(const KeyFacts& facts) {
  return fmt::format("{}{}{}", facts.sentence, facts.details.empty() ? "" : " ", facts.details);
}

OrderedJson schema_of(const Entry& entry) {
  const KeyFacts& facts = *entry.facts;
  OrderedJson schema = OrderedJson::object();
  switch (facts.kind) {
    case Kind::integer:
      schema = {{"type", "integer"}, {"minimum", facts.least}, {"maximum", facts.most}};
      break;
    case Kind::boolean:
      schema = {{"type", "boolean"}};
      break;
    case Kind::text:
      schema = {{"type", "string"}};
      break;
    case Kind::text_or_null:
      schema = {{"type", {"string", "null"}}};
      break;
    case Kind::choice:
      schema = {{"enum", facts.choices}};
      break;
    case Kind::list:
      schema = {{"type", "array"},
                {"items", {{"type", "string"}}},
                {"minItems", facts.least},
                {"maxItems", facts.most}};
      break;
    case Kind::object:
      schema = {{"type", {"object", "null"}},
                {"additionalProperties", false},
                {"properties", OrderedJson::object()}};
      break;
  }
  schema["description"] = plain(text_of(facts));
  if (!facts.required) {
    schema["default"] = entry.default_value;
  }
  return schema;
}

/// The schema of an object with these keys, whose paths begin with `prefix`.
OrderedJson object_schema(const std::vector<Entry>& entries, std::string_view prefix) {
  OrderedJson properties = OrderedJson::object();
  OrderedJson required = OrderedJson::array();
  for (const Entry& entry : entries) {
    const std::string name = entry.path.substr(prefix.size());
    if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      properties[name.substr(0, dot)]["properties"][name.substr(dot + 1)] = schema_of(entry);
      continue;
    }
    properties[name] = schema_of(entry);
    if (entry.facts->required) {
      required.push_back(name);
    }
  }
  OrderedJson schema = {{"type", "object"}, {"additionalProperties", false}};
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
  schema["properties"] = std::move(properties);
  return schema;
}

// The installed file.

constexpr std::size_t file_width = 100;

std::string comment(std::string_view text, std::size_t indent, std::size_t width = file_width) {
  return wrapped(plain(text), std::string(indent, ' ') + "// ", width);
}

/// Lines of keys with their values. `described`: each below its sentence.
std::string file_lines(const std::vector<Entry>& entries, std::size_t indent, bool described,
                       std::size_t width = file_width) {
  std::string lines;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (described) {
      lines += comment(entry.facts->sentence, indent, width);
    }
    lines += fmt::format("{}\"{}\": {}{}\n", std::string(indent, ' '), entry.facts->name,
                         status::dump(entry.default_value), i + 1 < entries.size() ? "," : "");
  }
  return lines;
}

/// The keys of a listener that its framing allows.
std::vector<Entry> entries_of(const uplink::ListenerOptions& listener) {
  Part part{uplinks_section, {}};
  add_entries(part, "", uplink::listener_keys(), listener);
  if (listener.framing == Framing::length_prefixed) {
    std::erase_if(part.entries,
                  [](const Entry& entry) { return entry.facts->name == "satellite_id"; });
  }
  return part.entries;
}

std::string uplinks_in_file() {
  std::string text = comment(uplinks_section.sentence, 2) + "  \"uplinks\": [\n";
  const std::vector<uplink::ListenerOptions> listeners = service_defaults().uplinks;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    text += "    {\n" + file_lines(entries_of(listeners[i]), 6, i == 0) +
            (i + 1 < listeners.size() ? "    },\n" : "    }\n");
  }
  return text + "  ],\n";
}

std::string sinks_in_file() {
  sink::Options example = sink::default_sink(0);
  example.name = "archive";
  example.jetstream.servers = {"nats://127.0.0.1:4222"};
  example.jetstream.stream = "TELEMETRY";
  Part part{sinks_section, {}};
  add_entries(part, "", sink::sink_keys(), example);
  const std::string text = comment(sinks_section.sentence, 2) + "  //\n  // One looks like this:\n";
  std::string commented = "  // {\n";
  const std::string_view prefix = "  //   ";
  const std::string lines = file_lines(part.entries, 0, true, file_width - prefix.size());
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    commented += fmt::format("{}{}\n", prefix, lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return text + commented + "  // }\n  \"sinks\": [],\n";
}

}  // namespace

std::string configuration_markdown() {
  std::string text =
      "# Configuration: every key\n\n"
      "For operators who write `/etc/meridian/meridiand.json`; "
      "see [how the file is read](../operate/configure.md). This page is written by "
      "`meridiand --print-reference=configuration.md`.\n\n"
      "`[]` stands for each element of a list. A key that is *applied by a reload* takes effect on "
      "`meridianctl reload`, `systemctl reload meridiand` and SIGHUP. One that *needs a restart* "
      "keeps its old value until then, and a reload names it.\n";
  for (const Part& part : all_parts()) {
    text += fmt::format("\n## {}\n\n{}", title_of(part.section), part.section.sentence);
    if (part.section.name == uplinks_section.name || part.section.name == sinks_section.name) {
      text += fmt::format(" {}.", length_of_list(part.section.name));
    }
    text += "\n";
    for (const Entry& entry : part.entries) {
      text += fmt::format("\n### {}\n\n{}\n\n{}\n", entry.path, summary_of(entry),
                          text_of(*entry.facts));
    }
  }
  return text;
}

std::string configuration_man() {
  std::string text;
  for (const Part& part : all_parts()) {
    text += fmt::format(".Ss {}\n{}", title_of(part.section), mdoc(part.section.sentence));
    text += ".Bl -tag -width Ds\n";
    if (part.section.name == uplinks_section.name || part.section.name == sinks_section.name) {
      text += fmt::format(".It Va {}\n{}", part.section.name,
                          mdoc(length_of_list(part.section.name) + "."));
    }
    for (const Entry& entry : part.entries) {
      text += fmt::format(".It Va {}\n{}.Pp\n{}", entry.path, mdoc(summary_of(entry)),
                          mdoc(text_of(*entry.facts)));
    }
    text += ".El\n";
  }
  return text;
}

std::string configuration_schema() {
  OrderedJson properties = OrderedJson::object();
  for (const Part& part : all_parts()) {
    const std::string name(part.section.name);
    if (name == uplinks_section.name || name == sinks_section.name) {
      const bool uplinks = name == uplinks_section.name;
      properties[name] = {{"type", "array"},
                          {"description", plain(part.section.sentence)},
                          {"minItems", uplinks ? 1 : 0},
                          {"maxItems", uplinks ? uplink::most_listeners : sink::most_sinks},
                          {"items", object_schema(part.entries, name + "[].")}};
    } else if (name.empty()) {
      for (const Entry& entry : part.entries) {
        properties[entry.path] = schema_of(entry);
      }
    } else {
      OrderedJson section = object_schema(part.entries, name + ".");
      section["description"] = plain(part.section.sentence);
      properties[name] = std::move(section);
    }
  }
  const OrderedJson schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                              {"title", "Configuration of meridiand"},
                              {"type", "object"},
                              {"additionalProperties", false},
                              {"properties", std::move(properties)}};
  return schema.dump(2) + "\n";
}

std::string configuration_file() {
  std::string text =
      "// Configuration of meridiand. Every key may be omitted; the values below are the "
      "defaults.\n"
      "// Check a changed file with: meridiand --config FILE --check-config\n"
      "{\n" +
      uplinks_in_file();
  const std::vector<Part> parts = all_parts();
  for (const Part& part : parts) {
    if (part.section.name == uplinks_section.name) {
      continue;
    }
    text += "\n";
    if (part.section.name == sinks_section.name) {
      text += sinks_in_file();
    } else if (part.section.name.empty()) {
      text += file_lines(part.entries, 2, true);
    } else {
      text += comment(part.section.sentence, 2) + fmt::format("  \"{}\": {{\n", part.section.name) +
              file_lines(part.entries, 4, true) + "  },\n";
    }
  }
  return text + "}\n";
}

}  // namespace meridian::daemon
