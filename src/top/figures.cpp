#include "top/figures.hpp"

#include "frame/keyed_hash.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

namespace meridian::top {

namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

std::uint64_t number(const Json& json, const char* key) {
  return json.at(key).get<std::uint64_t>();
}

/// The value of a member; no value if the member is null.
template <typename T>
std::optional<T> optional(const Json& json, const char* key) {
  const Json& value = json.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

/// How much a counter has grown; 0 if it has fallen. `drained` may fall, because a drain that fails
/// puts its frames back.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

/// Reads a time as the daemon writes it: 2026-11-25T10:03:12.123456Z.
std::optional<ReceiveTime> read_time(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
  if (text.size() != form.size()) {
    return std::nullopt;
  }
  bool valid = true;
  const auto part = [&](std::size_t at, std::size_t length) {
    unsigned value = 0;
    const char* const end = text.data() + at + length;
    valid &= std::from_chars(text.data() + at, end, value).ptr == end;
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(part(0, 4))),
                                        std::chrono::month(part(5, 2)),
                                        std::chrono::day(part(8, 2)));
  const auto time_of_day = std::chrono::hours(part(11, 2)) + std::chrono::minutes(part(14, 2)) +
                           std::chrono::seconds(part(17, 2)) +
                           std::chrono::microseconds(part(20, 6));
  if (!valid || !day.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(day) + time_of_day;
}

/// Makes the figures of a poll, compared with those of the poll before.
class Comparison {
 public:
  Comparison(const Poll& poll, const Figures* before) : poll_(poll), before_(before) {
    if (before_ != nullptr) {
      elapsed_s_ = std::chrono::duration<double>(poll.taken - before_->taken).count();
    }
    if (before_ != nullptr && has_restarted()) {
      before_ = nullptr;
      elapsed_s_ = 0;
    }
  }

  [[nodiscard]] Figures figures() const;

 private:
  using Satellites = frame::KeyedMap<std::uint64_t, const SatelliteRow*>;
  using Uplinks = frame::KeyedMap<std::uint64_t, const UplinkRow*>;

  /// Whether the daemon has restarted since the poll before. If so, the uptime or the count of
  /// received frames has fallen, or the uptime is shorter than the time since that poll. The uptime
  /// shows a restart even if the counters are already higher than before. `answer_s` allows for the
  /// time that an answer takes.
  [[nodiscard]] bool has_restarted() const {
    constexpr double answer_s = 0.05;
    const double uptime_s = poll_.stats.at("uptime_s").get<double>();
    return uptime_s < before_->uptime_s || uptime_s + answer_s < elapsed_s_ ||
           number(poll_.stats.at("ledger"), "received") < before_->ledger.received;
  }

  /// Whether enough time has passed for rates: over too short a time, a small difference would make
  /// a huge rate.
  [[nodiscard]] bool has_rates() const { return elapsed_s_ >= 0.001; }
  [[nodiscard]] double per_second(std::uint64_t before, std::uint64_t now) const {
    return static_cast<double>(growth(before, now)) / elapsed_s_;
  }
  /// The rate of a row. No value if the row has just appeared, or has fewer frames than before.
  template <typename Row>
  [[nodiscard]] std::optional<double> rate(const Row* before, std::uint64_t frames) const {
    return before == nullptr || !has_rates() || frames < before->frames
               ? std::nullopt
               : std::optional(per_second(before->frames, frames));
  }

  [[nodiscard]] Counter counter(std::uint64_t total, const Counter* before) const;
  [[nodiscard]] std::optional<std::chrono::seconds> age(const Json& time) const;
  [[nodiscard]] Reason reason(const std::string& name, std::uint64_t total,
                              const std::vector<Reason> Figures::* list) const;
  [[nodiscard]] SatelliteRow satellite(const Json& json, const SatelliteRow* before) const;
  [[nodiscard]] UplinkRow uplink(const Json& json, const UplinkRow* before) const;

  void add_ledger(Figures& figures) const;
  void add_levels(Figures& figures) const;
  void add_malformed(Figures& figures) const;
  void add_satellites(Figures& figures) const;
  void add_uplinks(Figures& figures) const;
  void add_rates(Figures& figures) const;

  const Poll& poll_;
  const Figures* before_;
  double elapsed_s_ = 0;
};

Counter Comparison::counter(std::uint64_t total, const Counter* before) const {
  Counter counter{.total = total};
  if (before != nullptr) {
    counter.grown = growth(before->total, total);
    counter.grew_at = counter.grown > 0 ? poll_.taken : before->grew_at;
  }
  counter.recent = counter.grew_at && poll_.taken - *counter.grew_at < recently;
  return counter;
}

std::optional<std::chrono::seconds> Comparison::age(const Json& time) const {
  const auto at = time.is_null() ? std::nullopt : read_time(time.get_ref<const std::string&>());
  return at ? std::optional(std::max(0s, std::chrono::floor<std::chrono::seconds>(poll_.at - *at)))
            : std::nullopt;
}

Reason Comparison::reason(const std::string& name, std::uint64_t total,
                          const std::vector<Reason> Figures::* list) const {
  const Counter* counted_before = nullptr;
  if (before_ != nullptr) {
    const auto found = std::ranges::find(before_->*list, name, &Reason::name);
    counted_before = found == (before_->*list).end() ? nullptr : &found->frames;
  }
  return {name, counter(total, counted_before)};
}

void Comparison::add_ledger(Figures& figures) const {
  const Json& ledger = poll_.stats.at("ledger");
  LedgerFigures& out = figures.ledger;
  out.received = number(ledger, "received");
  out.buffered = number(ledger, "buffered");
  out.leased = number(ledger, "leased");
  out.delivered = number(ledger, "delivered");
  out.drained = number(ledger, "drained");
  out.flushed = number(ledger, "flushed");
  std::uint64_t dropped = 0;
  for (const auto& [name, count] : ledger.at("dropped").items()) {
    figures.drops.push_back(reason(name, count.get<std::uint64_t>(), &Figures::drops));
    dropped += figures.drops.back().frames.total;
  }
  out.dropped = counter(dropped, before_ == nullptr ? nullptr : &before_->ledger.dropped);
  out.balanced = out.received ==
                 out.buffered + out.leased + out.delivered + out.drained + out.flushed + dropped;
}

void Comparison::add_levels(Figures& figures) const {
  const Json& buffer = poll_.stats.at("buffer");
  figures.buffer_frames = {number(buffer, "frames"), number(buffer, "max_frames")};
  figures.buffer_bytes = {number(buffer, "bytes"), number(buffer, "max_bytes")};
  const Json& channel = poll_.stats.at("channel");
  figures.channel = {number(channel, "length"), number(channel, "capacity")};
  figures.channel_high_water = number(channel, "high_water");
}

void Comparison::add_malformed(Figures& figures) const {
  const auto add = [&](const std::string& name, std::uint64_t count) {
    figures.malformed.push_back(reason(name, count, &Figures::malformed));
  };
  for (const auto& [name, count] : poll_.stats.at("malformed").items()) {
    add(name, count.get<std::uint64_t>());
  }
  add("truncated", number(poll_.stats, "truncated"));
}

SatelliteRow Comparison::satellite(const Json& json, const SatelliteRow* before) const {
  SatelliteRow row{.satellite_id = optional<SatelliteId>(json, "satellite_id"),
                   .channel_id = optional<ChannelId>(json, "channel_id"),
                   .silent = json.at("silent") == true,
                   .age = age(json.at("last_seen_at")),
                   .rate = rate(before, number(json, "frames")),
                   .frames = number(json, "frames"),
                   .bytes = number(json, "bytes"),
                   .losses = {}};
  // Older daemons do not report resets.
  const auto total_of = [&json](std::string_view key) {
    return key == "resets" ? json.value(key, std::uint64_t{0}) : json.at(key).get<std::uint64_t>();
  };
  constexpr std::array keys{"gaps", "missing", "duplicates", "late", "resets", "dropped"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    row.losses.at(i) =
        counter(total_of(keys.at(i)), before == nullptr ? nullptr : &before->losses.at(i));
  }
  return row;
}

/// A key that tells rows apart. All rows without an id have the same key.
std::uint64_t key_of(std::optional<SatelliteId> satellite_id, std::optional<ChannelId> channel_id) {
  constexpr std::uint64_t others = std::numeric_limits<std::uint64_t>::max();
  return satellite_id ? std::uint64_t{*satellite_id} << 16U | channel_id.value_or(0) : others;
}

void Comparison::add_satellites(Figures& figures) const {
  Satellites before;
  if (before_ != nullptr) {
    for (const SatelliteRow& row : before_->satellites) {
      before.emplace(key_of(row.satellite_id, row.channel_id), &row);
    }
  }
  std::vector<SatelliteId> ids;
  for (const Json& json : poll_.satellites.at("satellites")) {
    const auto found = before.find(key_of(optional<SatelliteId>(json, "satellite_id"),
                                          optional<ChannelId>(json, "channel_id")));
    figures.satellites.push_back(satellite(json, found == before.end() ? nullptr : found->second));
    const SatelliteRow& row = figures.satellites.back();
    figures.bytes += row.bytes;
    if (!row.satellite_id) {
      figures.has_others = true;
      continue;
    }
    ids.push_back(*row.satellite_id);
    if (row.silent) {
      figures.silent.push_back(*row.satellite_id);
    }
  }
  for (std::vector<SatelliteId>* list : {&ids, &figures.silent}) {
    std::ranges::sort(*list);
    list->erase(std::ranges::unique(*list).begin(), list->end());
  }
  figures.satellite_count = ids.size();
}

UplinkRow Comparison::uplink(const Json& json, const UplinkRow* before) const {
  return {.id = number(json, "id"),
          .peer = json.at("peer").get<std::string>(),
          .listener = json.at("listener").get<std::string>(),
          .connected_at = json.at("connected_at").get<std::string>(),
          .held = json.at("state") == "held",
          .age = age(json.at("last_frame_at")),
          .rate = rate(before, number(json, "frames")),
          .frames = number(json, "frames"),
          .bytes = number(json, "bytes")};
}

void Comparison::add_uplinks(Figures& figures) const {
  Uplinks before;
  if (before_ != nullptr) {
    for (const UplinkRow& row : before_->uplinks) {
      before.emplace(row.id, &row);
    }
  }
  for (const Json& json : poll_.uplinks.at("uplinks")) {
    const auto found = before.find(number(json, "id"));
    figures.uplinks.push_back(uplink(json, found == before.end() ? nullptr : found->second));
    figures.uplinks_held += figures.uplinks.back().held ? 1 : 0;
  }
  figures.uplinks_open = number(poll_.stats.at("sessions"), "open");
}

void Comparison::add_rates(Figures& figures) const {
  if (!has_rates()) {
    return;
  }
  figures.rates = {
      .received = per_second(before_->ledger.received, figures.ledger.received),
      .bytes = per_second(before_->bytes, figures.bytes),
      .drained = per_second(before_->ledger.drained, figures.ledger.drained),
      .dropped = per_second(before_->ledger.dropped.total, figures.ledger.dropped.total)};
}

Figures Comparison::figures() const {
  Figures figures;
  figures.taken = poll_.taken;
  figures.at = poll_.at;
  figures.uptime_s = poll_.stats.at("uptime_s").get<double>();
  add_ledger(figures);
  add_levels(figures);
  add_malformed(figures);
  add_satellites(figures);
  add_uplinks(figures);
  add_rates(figures);
  return figures;
}

}  // namespace

Figures figures_of(const Poll& poll, const Figures* before) {
  return Comparison(poll, before).figures();
}

}  // namespace meridian::top
