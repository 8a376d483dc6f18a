// What is counted, as documents: reasons and metrics.
#include "daemon/reference/forms.hpp"
#include "daemon/reference/markup.hpp"
#include "http/metrics_reference.hpp"
#include "nats/refusal.hpp"
#include "runtime/faults.hpp"
#include "status/json.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/malformed.hpp>
#include <meridian/named.hpp>
#include <meridian/positions.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

namespace meridian::daemon {

namespace {

struct Reason {
  std::string_view name;
  std::string_view sentence;
};

/// A counted enumeration.
struct Reasons {
  std::string_view title;
  std::string_view sentence;
  std::vector<Reason> all;
};

template <typename Table>
std::vector<Reason> reasons_in(const Table& table) {
  std::vector<Reason> reasons;
  for (const auto& each : table) {
    reasons.push_back({each.name, each.sentence});
  }
  return reasons;
}

std::vector<Reasons> all_reasons() {
  return {
      {"Dropped frames", "Why a frame was dropped: `ledger.dropped`.", reasons_in(drop_reasons)},
      {"Closed uplinks", "Why a session of an uplink ended: `sessions.closed`.",
       reasons_in(status::close_reasons)},
      {"Malformed streams", "Why a stream broke the framing of its listener: `malformed`.",
       reasons_in(malformed_reasons)},
      {"Control clients that were cut off", "Why a control client was cut off: `control.cut_off`.",
       reasons_in(status::cut_offs)},
      {"Ended leases", "How a lease ended: `leases.ended`.", reasons_in(lease_ends)},
      {"Refusals of sinks",
       "Why a message, a connection or a look-up of the stream was refused: `refused` of a sink. "
       "The "
       "sink tries again, and the frames stay where they are.",
       reasons_in(nats::refusals)},
      {"Frames that a sink skipped", "Why a sink did not get a frame: `skipped` of a sink.",
       reasons_in(skips)},
      {"Faults", "Where an exception occurred, from a bug or because memory ran out: `faults`.",
       reasons_in(runtime::fault_kinds)},
  };
}

}  // namespace

std::string reasons_markdown() {
  std::string text =
      "# Reasons: every name that is counted\n\n"
      "For everybody who reads `meridianctl stats`, `meridianctl sinks`, the metrics or the log. "
      "This page is written by `meridiand --print-reference=reasons.md`.\n";
  for (const Reasons& reasons : all_reasons()) {
    text += fmt::format("\n## {}\n\n{}\n\n| name | meaning |\n|---|---|\n", reasons.title,
                        reasons.sentence);
    for (const Reason& each : reasons.all) {
      text += fmt::format("| `{}` | {} |\n", each.name, cell(each.sentence));
    }
  }
  return text;
}

std::string reasons_man() {
  std::string text;
  for (const Reasons& reasons : all_reasons()) {
    text += fmt::format(".Ss {}\n{}.Bl -tag -width \"subject_not_in_stream\"\n", reasons.title,
                        mdoc(reasons.sentence));
    for (const Reason& each : reasons.all) {
      text += fmt::format(".It Li {}\n{}", each.name, mdoc(each.sentence));
    }
    text += ".El\n";
  }
  return text;
}

std::string metrics_markdown() {
  std::string text =
      "# Metrics: every series\n\n"
      "For those who write queries, alerts and dashboards; "
      "see [how to scrape and what to watch](../operate/monitor.md). This page is "
      "written by `meridiand --print-reference=metrics.md`.\n\n"
      "Counters end in `_total`. Every value of a `reason` is present from the start, with 0; "
      "[reasons](reasons.md) says what they mean. Bytes are those of native frames, headers "
      "included.\n\n"
      "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const http::MetricFacts& metric : http::all_metrics()) {
    text += fmt::format("| `{}` | {} | {}{}{} | {} |\n", metric.name, metric.type,
                        metric.labels.empty() ? "" : "`", fmt::join(metric.labels, "`, `"),
                        metric.labels.empty() ? "" : "`", cell(metric.help));
  }
  return text;
}

}  // namespace meridian::daemon
