#include "top/lines.hpp"

#include "status/figures.hpp"
#include "status/json.hpp"
#include "top/numbers.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace meridian::top {

namespace {

using status::with_separators;

std::optional<double> rate(const Figures& figures, double Rates::* which) {
  return figures.rates ? std::optional((*figures.rates).*which) : std::nullopt;
}

}  // namespace

std::string text_line_of(const Figures& figures) {
  const LedgerFigures& ledger = figures.ledger;
  return fmt::format(
      "{}  received {} ({}, {})  drained {}  dropped {}  buffered {} ({})  uplinks {}, {} held  "
      "satellites {}, {} silent{}\n",
      status::format_time(figures.at).substr(0, 19) + "Z", with_separators(ledger.received),
      frame_rate(rate(figures, &Rates::received)), octet_rate(rate(figures, &Rates::bytes)),
      frame_rate(rate(figures, &Rates::drained)), frame_rate(rate(figures, &Rates::dropped)),
      with_separators(ledger.buffered),
      scaled_octets(static_cast<double>(figures.buffer_bytes.now)),
      with_separators(figures.uplinks_open), with_separators(figures.uplinks_held),
      with_separators(figures.satellite_count), with_separators(figures.silent.size()),
      ledger.balanced ? "" : "  LEDGER DOES NOT BALANCE");
}

std::string json_line_of(const Figures& figures) {
  const auto number_or_null = [&](double Rates::* which) {
    const auto known = rate(figures, which);
    return known ? nlohmann::ordered_json(*known) : nlohmann::ordered_json(nullptr);
  };
  const LedgerFigures& ledger = figures.ledger;
  const nlohmann::ordered_json json = {
      {"at", status::format_time(figures.at)},
      {"uptime_s", figures.uptime_s},
      {"received", ledger.received},
      {"received_per_s", number_or_null(&Rates::received)},
      {"bytes_per_s", number_or_null(&Rates::bytes)},
      {"drained", ledger.drained},
      {"drained_per_s", number_or_null(&Rates::drained)},
      {"flushed", ledger.flushed},
      {"dropped", ledger.dropped.total},
      {"dropped_per_s", number_or_null(&Rates::dropped)},
      {"buffered", ledger.buffered},
      {"leased", ledger.leased},
      {"delivered", ledger.delivered},
      {"buffer_bytes", figures.buffer_bytes.now},
      {"balanced", ledger.balanced},
      {"uplinks", figures.uplinks_open},
      {"held", figures.uplinks_held},
      {"satellites", figures.satellite_count},
      {"silent", figures.silent.size()},
  };
  return json.dump() + "\n";
}

}  // namespace meridian::top
