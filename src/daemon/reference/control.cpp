// The methods of the control socket as documents.
#include "control/methods.hpp"
#include "daemon/reference/forms.hpp"
#include "daemon/reference/markup.hpp"
#include "status/json.hpp"
#include "status/version.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>

namespace meridian::daemon {

namespace {

using control::MethodFacts;
using control::Parameter;
using control::ParameterType;
using OrderedJson = status::Json;

std::string type_of(const Parameter& parameter) {
  switch (parameter.type) {
    case ParameterType::integer:
      return fmt::format("integer, {} to {}", parameter.least, parameter.most);
    case ParameterType::text:
      return "string";
    case ParameterType::choice:
      return fmt::format("`\"{}\"`", fmt::join(parameter.choices, "\"` or `\""));
  }
  return "";
}

std::string default_of(const Parameter& parameter) {
  if (parameter.required) {
    return "required";
  }
  return parameter.default_value.empty() ? "optional"
                                         : fmt::format("default `{}`", parameter.default_value);
}

std::string_view who_may(const MethodFacts& method) {
  return method.changes_something ? "Refused to clients that may only read."
                                  : "Clients that may only read may call it, too.";
}

std::string text_of(const MethodFacts& method) {
  return fmt::format("{}{}{} {}", method.sentence, method.details.empty() ? "" : " ",
                     method.details, who_may(method));
}

OrderedJson types_in(std::string_view types) {
  OrderedJson list = OrderedJson::array();
  for (std::size_t begin = 0; begin <= types.size();) {
    const std::size_t end = std::min(types.find('|', begin), types.size());
    list.push_back(types.substr(begin, end - begin));
    begin = end + 1;
  }
  return list.size() == 1 ? list.front() : list;
}

OrderedJson schema_of(const Parameter& parameter) {
  OrderedJson schema = OrderedJson::object();
  switch (parameter.type) {
    case ParameterType::integer:
      schema = {{"type", "integer"}, {"minimum", parameter.least}, {"maximum", parameter.most}};
      break;
    case ParameterType::text:
      schema = {{"type", "string"}};
      break;
    case ParameterType::choice:
      schema = {{"enum", parameter.choices}};
      break;
  }
  if (!parameter.default_value.empty()) {
    schema["default"] = OrderedJson::parse(parameter.default_value);
  }
  return schema;
}

OrderedJson open_rpc(const MethodFacts& method) {
  OrderedJson parameters = OrderedJson::array();
  for (const Parameter& each : method.parameters) {
    parameters.push_back({{"name", each.name},
                          {"description", plain(each.sentence)},
                          {"required", each.required},
                          {"schema", schema_of(each)}});
  }
  OrderedJson properties = OrderedJson::object();
  for (const control::Field& field : method.result) {
    properties[std::string(field.name)] = {{"type", types_in(field.type)},
                                           {"description", plain(field.sentence)}};
  }
  OrderedJson made = {{"name", method.name},
                      {"summary", plain(method.sentence)},
                      {"description", plain(text_of(method))},
                      {"paramStructure", "by-name"},
                      {"params", std::move(parameters)},
                      {"result",
                       {{"name", "result"},
                        {"schema", {{"type", "object"}, {"properties", std::move(properties)}}}}}};
  for (const control::ErrorCode code : method.errors) {
    made["errors"].push_back(
        {{"code", static_cast<int>(code)}, {"message", name_in(control::error_codes, code)}});
  }
  return made;
}

}  // namespace

std::string methods_markdown() {
  std::string text =
      "# Control socket: every method\n\n"
      "For programs that talk to the daemon; "
      "see [how to connect and how lines look](../integrate/control-socket.md). This "
      "page is written by `meridiand --print-reference=control-methods.md`.\n";
  for (const MethodFacts& method : control::all_methods()) {
    text += fmt::format("\n## {}\n\n{}\n", method.name, text_of(method));
    if (!method.parameters.empty()) {
      text += "\n| parameter | type | | meaning |\n|---|---|---|---|\n";
      for (const Parameter& each : method.parameters) {
        text += fmt::format("| `{}` | {} | {} | {} |\n", each.name, type_of(each), default_of(each),
                            cell(each.sentence));
      }
    }
    text += "\n| result | type | meaning |\n|---|---|---|\n";
    for (const control::Field& field : method.result) {
      text +=
          fmt::format("| `{}` | {} | {} |\n", field.name, cell(field.type), cell(field.sentence));
    }
    for (const control::ErrorCode code : method.errors) {
      text += fmt::format("\nCan fail with [{}](#errors) (`{}`).\n", static_cast<int>(code),
                          name_in(control::error_codes, code));
    }
  }
  text += "\n## Errors\n\n| code | name | meaning |\n|---|---|---|\n";
  for (const auto& [code, name, sentence] : control::error_codes) {
    text += fmt::format("| {} | `{}` | {} |\n", static_cast<int>(code), name, cell(sentence));
  }
  return text;
}

std::string methods_man() {
  std::string text = ".Bl -tag -width \"satellites\"\n";
  for (const MethodFacts& method : control::all_methods()) {
    text += fmt::format(".It Ic {}\n{}", method.name, mdoc(text_of(method)));
    if (!method.parameters.empty()) {
      text += "Parameters:\n.Bl -tag -width Ds -compact\n";
      for (const Parameter& each : method.parameters) {
        text += fmt::format(
            ".It Va {}\n{}", each.name,
            mdoc(fmt::format("{}; {}. {}", type_of(each), default_of(each), each.sentence)));
      }
      text += ".El\n";
    }
    text += "Result:\n.Bl -tag -width Ds -compact\n";
    for (const control::Field& field : method.result) {
      text += fmt::format(".It Va {}\n{}", field.name, mdoc(field.sentence));
    }
    text += ".El\n";
  }
  return text + ".El\n";
}

std::string errors_man() {
  std::string text = ".Bl -tag -width \"-32000\"\n";
  for (const auto& [code, name, sentence] : control::error_codes) {
    text += fmt::format(".It {}\n{}", static_cast<int>(code), mdoc(sentence));
  }
  return text + ".El\n";
}

std::string methods_openrpc() {
  OrderedJson methods = OrderedJson::array();
  for (const MethodFacts& method : control::all_methods()) {
    methods.push_back(open_rpc(method));
  }
  const OrderedJson document = {
      {"openrpc", "1.3.2"},
      {"info",
       {{"title", "Control socket of meridiand"}, {"version", std::string(status::version)}}},
      {"methods", std::move(methods)}};
  return document.dump(2) + "\n";
}

}  // namespace meridian::daemon
