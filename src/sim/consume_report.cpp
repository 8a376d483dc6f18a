#include "sim/consume_report.hpp"

#include "runtime/printable.hpp"
#include "status/figures.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace meridian::sim {

namespace {

using Json = nlohmann::ordered_json;
using status::octets_for_people;
using status::with_separators;

/// Sums over all origins.
struct Sums {
  std::uint64_t missing = 0;
  std::uint64_t repeated = 0;
  std::uint64_t out_of_order = 0;
  std::size_t origins_in_trouble = 0;
};

Sums sums_of(const ConsumeReport& report) {
  Sums sums;
  for (const OriginReport& origin : report.origins) {
    sums.missing += origin.missing;
    sums.repeated += origin.repeated;
    sums.out_of_order += origin.out_of_order;
    sums.origins_in_trouble += origin.in_trouble() ? 1 : 0;
  }
  return sums;
}

/// The origins in trouble that the report lists one by one.
std::vector<const OriginReport*> first_in_trouble(const ConsumeReport& report) {
  std::vector<const OriginReport*> found;
  for (const OriginReport& origin : report.origins) {
    if (origin.in_trouble() && found.size() < most_told) {
      found.push_back(&origin);
    }
  }
  return found;
}

double per_second(std::uint64_t count, double seconds) {
  return static_cast<double>(count) / std::max(seconds, 1e-9);
}

/// "3 to 7", or "3" for a range of one number.
std::string text_of(const SequenceRange& range) {
  return range.first == range.last
             ? with_separators(range.first)
             : fmt::format("{} to {}", with_separators(range.first), with_separators(range.last));
}

std::string text_of(const OriginReport& origin) {
  std::string text =
      fmt::format("satellite {}, channel {}: {} frames from {} to {}; ", origin.origin.satellite_id,
                  origin.origin.channel_id, with_separators(origin.frames),
                  with_separators(origin.lowest), with_separators(origin.highest));
  text += fmt::format("{} missing, {} repeated, {} out of order", with_separators(origin.missing),
                      with_separators(origin.repeated), with_separators(origin.out_of_order));
  const char* before = "; missing: ";
  for (const SequenceRange& hole : origin.holes) {
    text += before + text_of(hole);
    before = ", ";
  }
  return text + (origin.holes.size() == most_holes ? ", …\n" : "\n");
}

Json json_of(const OriginReport& origin) {
  Json holes = Json::array();
  for (const SequenceRange& hole : origin.holes) {
    holes.push_back({hole.first, hole.last});
  }
  return {{"satellite_id", origin.origin.satellite_id},
          {"channel_id", origin.origin.channel_id},
          {"frames", origin.frames},
          {"missing", origin.missing},
          {"repeated", origin.repeated},
          {"out_of_order", origin.out_of_order},
          {"lowest_sequence", origin.lowest},
          {"highest_sequence", origin.highest},
          {"holes", std::move(holes)}};
}

}  // namespace

bool all_well(const ConsumeReport& report) {
  return sums_of(report).origins_in_trouble == 0 && report.malformed == 0 &&
         report.failure.empty() && report.distinct >= report.expected.value_or(0);
}

std::string to_text(const ConsumeReport& report) {
  const Sums sums = sums_of(report);
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "read {} frames, {}, in {} messages of {} origins in {:.2f} s\n",
                 with_separators(report.frames), octets_for_people(report.octets),
                 with_separators(report.messages), with_separators(report.origins.size()),
                 report.seconds);
  fmt::format_to(
      out, "rate: {:.2f} M frames/s, {}/s\n", per_second(report.frames, report.seconds) / 1e6,
      octets_for_people(static_cast<std::uint64_t>(per_second(report.octets, report.seconds))));
  fmt::format_to(out, "frames:   {} missing, {} repeated, {} out of order\n",
                 with_separators(sums.missing), with_separators(sums.repeated),
                 with_separators(sums.out_of_order));
  fmt::format_to(out, "messages: {} malformed, {} redelivered\n", with_separators(report.malformed),
                 with_separators(report.redelivered));
  if (report.expected) {
    fmt::format_to(out, "expected: {} frames, {} of them came\n", with_separators(*report.expected),
                   with_separators(std::min(report.distinct, *report.expected)));
  }
  for (const OriginReport* const origin : first_in_trouble(report)) {
    text += text_of(*origin);
  }
  if (sums.origins_in_trouble > most_told) {
    fmt::format_to(out, "and {} more origins\n",
                   with_separators(sums.origins_in_trouble - most_told));
  }
  for (const BadMessage& message : report.bad_messages) {
    fmt::format_to(out, "message {}: {}\n", with_separators(message.place),
                   runtime::printable(message.fault));
  }
  if (report.malformed > report.bad_messages.size()) {
    fmt::format_to(out, "and {} more messages\n",
                   with_separators(report.malformed - report.bad_messages.size()));
  }
  return text;
}

std::string to_json(const ConsumeReport& report) {
  const Sums sums = sums_of(report);
  Json trouble = Json::array();
  for (const OriginReport* const origin : first_in_trouble(report)) {
    trouble.push_back(json_of(*origin));
  }
  Json bad_messages = Json::array();
  for (const BadMessage& message : report.bad_messages) {
    bad_messages.push_back({{"stream_sequence", message.place}, {"fault", message.fault}});
  }
  Json json = {{"frames", report.frames},
               {"distinct", report.distinct},
               {"expected", nullptr},
               {"bytes", report.octets},
               {"messages", report.messages},
               {"missing", sums.missing},
               {"repeated", sums.repeated},
               {"out_of_order", sums.out_of_order},
               {"malformed", report.malformed},
               {"redelivered", report.redelivered},
               {"origins", report.origins.size()},
               {"seconds", report.seconds},
               {"frames_per_s", per_second(report.frames, report.seconds)},
               {"trouble", std::move(trouble)},
               {"bad_messages", std::move(bad_messages)},
               {"failure", nullptr}};
  if (report.expected) {
    json["expected"] = *report.expected;
  }
  if (!report.failure.empty()) {
    json["failure"] = report.failure;
  }
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace meridian::sim
