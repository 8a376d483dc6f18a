#include "top/cells.hpp"

#include "status/figures.hpp"
#include "top/numbers.hpp"
#include "top/terminal_text.hpp"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>

namespace meridian::top {

namespace {

using status::with_separators;

constexpr Style faint{.dim = true};

Cell text_cell(std::string_view text, Style style = {}) {
  const std::string shown = printable(text);
  return {shown, shown, style};
}

Cell amount_cell(std::uint64_t amount) {
  return {with_separators(amount), scaled(static_cast<double>(amount)), {}};
}

Cell loss_cell(const Counter& counter) {
  Cell cell = amount_cell(counter.total);
  if (counter.recent) {
    cell.full.insert(0, alarm_sign);
    cell.brief.insert(0, alarm_sign);
    cell.style = alarm_style;
  } else {
    cell.style = counter.total > 0 ? Style{.tone = Tone::warning} : faint;
  }
  return cell;
}

Cell state_cell(bool is_alarm, std::string_view alarm, std::string_view usual) {
  return is_alarm ? text_cell(fmt::format("{}{}", alarm_sign, alarm), alarm_style)
                  : text_cell(usual);
}

Cell age_cell(const std::optional<std::chrono::seconds>& age) {
  return text_cell(age ? duration_for_people(*age) : unknown);
}

Cell rate_cell(const std::optional<double>& rate) {
  return text_cell(rate ? scaled(*rate) : unknown, rate == 0.0 ? faint : Style{});
}

template <typename T>
Cell id_cell(const std::optional<T>& id, const char* if_none) {
  return text_cell(id ? std::to_string(*id) : if_none);
}

template <typename T>
SortValue value_or_nothing(const std::optional<T>& value) {
  return value ? SortValue(std::uint64_t{*value}) : SortValue();
}

SortValue value_of(const std::optional<std::chrono::seconds>& age) {
  return age ? SortValue(static_cast<double>(age->count())) : SortValue();
}

SortValue value_of(const std::optional<double>& rate) {
  return rate ? SortValue(*rate) : SortValue();
}

/// An alarm has the larger value.
SortValue value_of(bool is_alarm) {
  return std::uint64_t{is_alarm ? 1U : 0U};
}

std::optional<Loss> loss_of(ColumnKey key) {
  switch (key) {
    case ColumnKey::gaps:
      return Loss::gaps;
    case ColumnKey::missing:
      return Loss::missing;
    case ColumnKey::duplicates:
      return Loss::duplicates;
    case ColumnKey::late:
      return Loss::late;
    case ColumnKey::resets:
      return Loss::resets;
    case ColumnKey::dropped:
      return Loss::dropped;
    default:
      return std::nullopt;
  }
}

/// "2026-11-25T10:03:12.123456Z" in two lengths.
Cell time_cell(const std::string& time) {
  if (time.size() < 19) {
    return text_cell(time);
  }
  return {time.substr(0, 10) + " " + time.substr(11, 8), time.substr(11, 8), {}};
}

[[noreturn]] void refuse_column() {
  throw std::logic_error("a column of the other table");
}

// For the columns that both tables have.

template <typename Row>
Cell shared_cell_of(const Row& row, ColumnKey key) {
  switch (key) {
    case ColumnKey::age:
      return age_cell(row.age);
    case ColumnKey::rate:
      return rate_cell(row.rate);
    case ColumnKey::frames:
      return amount_cell(row.frames);
    case ColumnKey::octets:
      return amount_cell(row.bytes);
    default:
      refuse_column();
  }
}

template <typename Row>
SortValue shared_sort_value_of(const Row& row, ColumnKey key) {
  switch (key) {
    case ColumnKey::age:
      return value_of(row.age);
    case ColumnKey::rate:
      return value_of(row.rate);
    case ColumnKey::frames:
      return row.frames;
    case ColumnKey::octets:
      return row.bytes;
    default:
      refuse_column();
  }
}

}  // namespace

Cell cell_of(const SatelliteRow& row, ColumnKey key) {
  if (const auto loss = loss_of(key)) {
    return loss_cell(row.loss(*loss));
  }
  switch (key) {
    case ColumnKey::satellite:
      return id_cell(row.satellite_id, "others");
    case ColumnKey::channel:
      return id_cell(row.channel_id, unknown);
    case ColumnKey::state:
      return row.satellite_id ? state_cell(row.silent, "silent", "heard") : text_cell(unknown);
    default:
      return shared_cell_of(row, key);
  }
}

Cell cell_of(const UplinkRow& row, ColumnKey key) {
  switch (key) {
    case ColumnKey::id:
      return text_cell(std::to_string(row.id));
    case ColumnKey::peer:
      return text_cell(row.peer);
    case ColumnKey::state:
      return state_cell(row.held, "held", "receiving");
    case ColumnKey::listener:
      return text_cell(row.listener);
    case ColumnKey::connected:
      return time_cell(row.connected_at);
    default:
      return shared_cell_of(row, key);
  }
}

SortValue sort_value_of(const SatelliteRow& row, ColumnKey key) {
  if (const auto loss = loss_of(key)) {
    return row.loss(*loss).total;
  }
  switch (key) {
    case ColumnKey::satellite:
      return value_or_nothing(row.satellite_id);
    case ColumnKey::channel:
      return value_or_nothing(row.channel_id);
    case ColumnKey::state:
      return value_of(row.silent);
    default:
      return shared_sort_value_of(row, key);
  }
}

SortValue sort_value_of(const UplinkRow& row, ColumnKey key) {
  switch (key) {
    case ColumnKey::id:
      return row.id;
    case ColumnKey::peer:
      return row.peer;
    case ColumnKey::state:
      return value_of(row.held);
    case ColumnKey::listener:
      return row.listener;
    case ColumnKey::connected:
      return row.connected_at;
    default:
      return shared_sort_value_of(row, key);
  }
}

}  // namespace meridian::top
