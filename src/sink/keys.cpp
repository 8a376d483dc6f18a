#include "sink/keys.hpp"

#include "config/error.hpp"
#include "sink/type.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace meridian::sink {

namespace {

using config::Applies;
using config::KeyFacts;
using config::Kind;
using config::Reader;
using std::string_view_literals::operator""sv;

constexpr std::array behind_policies{std::pair{"hold"sv, WhenBehind::hold},
                                     std::pair{"skip_oldest"sv, WhenBehind::skip_oldest}};

// Far below what the library and the server can count.
constexpr std::uint64_t least_batch_bytes = 1'024;
constexpr std::uint64_t most_batch_bytes = 64 * 1024 * 1024;
constexpr std::uint64_t most_in_flight_bytes = std::uint64_t{1} << 30;
constexpr std::size_t longest_name = 64;

/// Whether `text` may be part of message ids and metrics.
bool is_name(std::string_view text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && text.size() <= longest_name &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

void read_name_of_sink(Reader& reader, const KeyFacts& facts, Options& options) {
  read_name(reader, facts, "", options.name);
}

void read_type(Reader& reader, const KeyFacts& facts, Options& options) {
  std::string given(options.type->name);
  reader.read(facts.name, given);
  const auto found = std::ranges::find(types(), given, &Type::name);
  if (found == types().end()) {
    std::vector<std::string> names;
    for (const Type* const each : types()) {
      names.push_back(fmt::format("\"{}\"", each->name));
    }
    reader.fail(facts.name, fmt::format("must be {}", fmt::join(names, " or ")), given);
  }
  options.type = *found;
}

void read_max_in_flight_bytes(Reader& reader, const KeyFacts& facts, Options& options) {
  if (reader.find(facts.name) == nullptr && options.max_in_flight_bytes < options.batch_max_bytes) {
    throw config::Error(
        fmt::format("{}: must be set, because its default, {}, is less than {}, which is {}",
                    reader.path_of(facts.name), options.max_in_flight_bytes,
                    reader.path_of("batch_max_bytes"), options.batch_max_bytes));
  }
  reader.read(facts.name, options.max_in_flight_bytes, options.batch_max_bytes, facts.most);
}

constexpr std::array common_key_table{
    config::own<Options, [](auto& o) -> auto& { return o.name; }>(
        Kind::text,
        {.name = "name",
         .applies = Applies::on_restart,
         .of = "1 to 64 letters, digits, hyphens or underscores",
         .sentence = "Names the sink in answers, logs and metrics.",
         .details =
             "It is part of the ids by which the stream recognises messages, and after a restart "
             "the sink finds its position by it: a sink with another name begins with the oldest "
             "frame in the buffer. Names must differ. In the default, `N` is the sink's place in "
             "the list, counted from 1."},
        read_name_of_sink, [](const Options& o) { return config::Json(o.name); }),
    config::own<Options, [](auto& o) -> auto& { return o.type; }>(
        Kind::text,
        {.name = "type",
         .applies = Applies::on_restart,
         .of = "a type of sink",
         .sentence = "What the sink publishes into: a stream of NATS JetStream. There is no other "
                     "type."},
        read_type, [](const Options& o) { return config::Json(o.type->name); }),
    config::key<Options, [](auto& o) -> auto& { return o.batch_max_bytes; }>(
        {.name = "batch_max_bytes",
         .applies = Applies::on_restart,
         .least = least_batch_bytes,
         .most = most_batch_bytes,
         .of = "bytes",
         .sentence = "How many bytes of frames one message holds at most, including their headers "
                     "of 20 bytes.",
         .details = "By default a server accepts messages of 1 MiB. Where it accepts less than "
                    "this key says, messages are smaller. A single frame that is larger is a "
                    "message of its own."}),
    config::own<Options, [](auto& o) -> auto& { return o.max_in_flight_bytes; }>(
        Kind::integer,
        {.name = "max_in_flight_bytes",
         .applies = Applies::on_restart,
         .least = least_batch_bytes,
         .most = most_in_flight_bytes,
         .of = "bytes",
         .sentence = "How many bytes of frames may be in messages that were sent and not "
                     "acknowledged.",
         .details =
             "As many again may wait in the sink. Must not be less than `sinks[].batch_max_bytes`, "
             "so if that is above the default of this key, set this key, too. Frames that the sink "
             "has read are the last ones to make room in the buffer, so this should be a small "
             "part of `buffer.max_bytes`."},
        read_max_in_flight_bytes,
        [](const Options& o) { return config::Json(o.max_in_flight_bytes); }),
    config::choice<Options, [](auto& o) -> auto& { return o.when_behind; }, behind_policies>(
        {.name = "when_behind",
         .applies = Applies::on_restart,
         .sentence = "What happens while the buffer is full of frames that the sink has not "
                     "delivered: they stay (`hold`), or the oldest make room, counted "
                     "(`skip_oldest`). `hold` needs `buffer.when_full` to be `backpressure` or "
                     "`drop_newest`.",
         .details = "With `hold`, uplinks wait or new frames are dropped, as `buffer.when_full` "
                    "says. With `skip_oldest`, the oldest frames make room "
                    "under every policy, unless a sink with `hold` still needs them."}),
};

}  // namespace

void read_name(Reader& reader, const KeyFacts& facts, std::string_view what, std::string& name) {
  reader.read(facts.name, name);
  if (!is_name(name)) {
    reader.fail(
        facts.name,
        fmt::format("must be {}1 to {} letters, digits, \"-\" or \"_\"", what, longest_name), name);
  }
}

std::string_view name_of(WhenBehind policy) noexcept {
  return std::ranges::find(behind_policies, policy,
                           &std::pair<std::string_view, WhenBehind>::second)
      ->first;
}

config::Keys<Options> sink_keys() {
  static const std::vector<config::Key<Options>> keys = [] {
    std::vector<config::Key<Options>> all(common_key_table.begin(), common_key_table.end());
    for (const Type* const each : types()) {
      const config::Keys<Options> own = each->keys();
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }();
  return keys;
}

Options default_sink(std::size_t index) {
  return {.name = fmt::format("sink-{}", index + 1), .type = types().front()};
}

std::vector<Options> read_sinks(const Reader& root, const config::Json& json) {
  if (!json.is_array() || json.size() > most_sinks) {
    root.fail("sinks", fmt::format("must be a list of 0 to {} sinks", most_sinks), json);
  }
  std::vector<Options> sinks;
  std::set<std::string> names;
  for (std::size_t i = 0; i < json.size(); ++i) {
    Options options = default_sink(i);
    Reader reader(json[i], fmt::format("sinks[{}]", i));
    config::read_all(reader, config::Keys<Options>(common_key_table), options);
    config::read_all(reader, options.type->keys(), options);
    reader.finish();
    if (!names.insert(options.name).second) {
      throw config::Error(fmt::format(
          "sinks[{}].name: \"{}\" is taken by another sink; names must differ", i, options.name));
    }
    sinks.push_back(std::move(options));
  }
  return sinks;
}

}  // namespace meridian::sink
