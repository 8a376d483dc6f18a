#include "daemon/keys.hpp"

#include "runtime/log_level.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace meridian::daemon {

namespace {

using config::Applies;
using config::KeyFacts;
using config::Kind;
using config::Reader;
using std::string_view_literals::operator""sv;

constexpr std::array buffer_policies{std::pair{"drop_oldest"sv, WhenFull::drop_oldest},
                                     std::pair{"drop_newest"sv, WhenFull::drop_newest},
                                     std::pair{"backpressure"sv, WhenFull::backpressure}};
constexpr std::array unreadable_policies{
    std::pair{"refuse"sv, state::WhenUnreadable::refuse},
    std::pair{"set_aside"sv, state::WhenUnreadable::set_aside}};
constexpr std::array log_formats{std::pair{"text"sv, LogFormat::text},
                                 std::pair{"json"sv, LogFormat::json}};

constexpr std::uint64_t most_frames = 1'000'000'000'000;
constexpr std::uint64_t most_buffer_bytes = std::uint64_t{1} << 50;

constexpr std::array channel_key_table{
    config::key<Config, [](auto& c) -> auto& { return c.aggregator.channel_capacity; }>(
        {.name = "capacity",
         .applies = Applies::on_restart,
         .least = 1,
         .most = 65'536,
         .of = "batches",
         .sentence = "How many batches fit between the sessions and the aggregator.",
         .details = "A batch is the frames of one read: up to 256 KiB, or one larger frame. Two to "
                    "four times the expected burst is a good start."}),
};

constexpr std::array buffer_key_table{
    config::key<Config, [](auto& c) -> auto& { return c.aggregator.buffer.max_frames; }>(
        {.name = "max_frames",
         .least = 1,
         .most = most_frames,
         .of = "frames",
         .sentence = "The buffer is full with this many frames, or with `buffer.max_bytes`, "
                     "whichever comes first."}),
    config::key<Config, [](auto& c) -> auto& { return c.aggregator.buffer.max_bytes; }>(
        {.name = "max_bytes",
         .least = 1,
         .most = most_buffer_bytes,
         .of = "bytes",
         .sentence = "How many bytes of frames the buffer holds, including their headers of 20 "
                     "bytes."}),
    config::choice<Config, [](auto& c) -> auto& { return c.aggregator.buffer.when_full; },
                   buffer_policies>(
        {.name = "when_full",
         .sentence = "What happens when the buffer is full: it drops its oldest frames "
                     "(`drop_oldest`), it drops the frames that arrive (`drop_newest`), or frames "
                     "wait in the channel until there is room (`backpressure`).",
         .details = "With `backpressure`, once the channel is full, too, each listener does what "
                    "its `when_channel_full` says. After a reload the policy also applies to what "
                    "is already in the buffer."}),
};

void read_directory(Reader& reader, const KeyFacts& facts, Config& config) {
  std::optional<std::string> directory;
  reader.read_or_null(facts.name, directory);
  if (directory && !directory->starts_with('/')) {
    reader.fail(facts.name, "must be the absolute path of a directory, or null", *directory);
  }
  if (directory) {
    config.state_directory = *directory;
  }
}

constexpr std::array state_key_table{
    config::own<Config, [](auto& c) -> auto& { return c.state_directory; }>(
        Kind::text_or_null,
        {.name = "directory",
         .applies = Applies::on_restart,
         .of = "an absolute path",
         .sentence = "The directory in which the buffer is kept from an orderly stop to the next "
                     "start. null: `$STATE_DIRECTORY`, which systemd sets for the service; where "
                     "that is not set either, nothing is saved.",
         .details = "Without it, what is in the buffer is gone when the daemon ends."},
        read_directory,
        [](const Config& c) {
          return c.state_directory ? config::Json(c.state_directory->lexically_normal().string())
                                   : config::Json();
        }),
    config::choice<Config, [](auto& c) -> auto& { return c.when_state_unreadable; },
                   unreadable_policies>(
        {.name = "when_unreadable",
         .applies = Applies::on_restart,
         .sentence = "What happens to a saved state that cannot be opened or read, or that a newer "
                     "meridiand has written: the daemon does not start (`refuse`), or starts with "
                     "what can be read (`set_aside`).",
         .details = "With `refuse` the daemon says why and touches nothing. With `set_aside` it "
                    "keeps the rest under another name; of a newer state it reads nothing."}),
};

constexpr std::array satellite_key_table{
    config::key<Config, [](auto& c) -> auto& { return c.aggregator.max_tracked; }>(
        {.name = "max_tracked",
         .least = 1,
         .most = 16'777'216,
         .of = "pairs of satellite and channel",
         .sentence = "How many pairs of satellite and channel have statistics of their own and are "
                     "checked for gaps; the others are summed.",
         .details = "A reload that lowers the number forgets none of them."}),
    config::key<Config, [](auto& c) -> auto& { return c.aggregator.reset_after; }>(
        {.name = "reset_after_frames",
         .least = 2,
         .most = 1000,
         .of = "frames",
         .sentence =
             "If this many frames in a row are late or far ahead, "
             "each with the sequence that follows the one before, the counter has started over.",
         .details = "Far ahead is more than a quarter of the counter's range. The new count is "
                    "taken up, one reset is counted, and gaps are looked for in the new count. "
                    "Fewer such frames are counted as late or as jumps and change nothing else."}),
    config::key<Config, [](auto& c) -> auto& { return c.silent_after; }>(
        {.name = "silent_after_s",
         .least = 0,
         .most = config::most_seconds,
         .of = "seconds",
         .sentence = "A satellite from which no frame has come for this long, on any of its "
                     "channels, is silent: this is logged, shown and counted. 0: no satellite "
                     "ever counts as silent.",
         .details =
             "When it is heard again, that is logged, too. Satellites that are only part of the "
             "sum beyond `satellites.max_tracked` are not watched. The time stands still while a "
             "full buffer with the policy `backpressure` lets nothing in."}),
    config::key<Config, [](auto& c) -> auto& { return c.forget_after; }>(
        {.name = "forget_after_s",
         .least = 0,
         .most = config::most_seconds,
         .of = "seconds",
         .sentence = "A pair of satellite and channel from which no frame has come for this long "
                     "is forgotten, which frees its row. 0: only by `meridianctl forget`.",
         .details = "The log says how many were forgotten. Time counts as for "
                    "`satellites.silent_after_s`. Set a longer "
                    "time than there: a forgotten satellite is no longer silent. After a "
                    "restart, at most half of this time "
                    "counts as already over."}),
};

void read_target(Reader& reader, const KeyFacts& facts, Config& config) {
  std::string& target = config.log.target;
  reader.read(facts.name, target);
  if (target != "stderr" && target != "stdout" && !target.starts_with('/')) {
    reader.fail(facts.name, R"(must be "stderr", "stdout" or the absolute path of a file)", target);
  }
}

constexpr std::array log_key_table{
    config::choice<Config, [](auto& c) -> auto& { return c.log.level; }, runtime::log_levels>(
        {.name = "level",
         .sentence = "The least important messages that are logged.",
         .details = "The option `--log-level` overrides it, also after a reload."}),
    config::choice<Config, [](auto& c) -> auto& { return c.log.format; }, log_formats>(
        {.name = "format",
         .sentence = "Lines for people (`text`), or one JSON object on each line (`json`).",
         .details = "Where lines for people go to the journal, they become messages with fields."}),
    config::own<Config, [](auto& c) -> auto& { return c.log.target; }>(
        Kind::text,
        {.name = "target",
         .of = "`\"stderr\"`, `\"stdout\"` or an absolute path",
         .sentence = "Where the log goes: `stderr`, `stdout`, or the absolute path of a file to "
                     "which it is appended.",
         .details = "The directory of the file must exist. A reload opens the file again, so that "
                    "it can be rotated."},
        read_target, [](const Config& c) { return config::Json(c.log.target); }),
};

constexpr std::array plain_key_table{
    config::key<Config, [](auto& c) -> auto& { return c.threads; }>(
        {.name = "threads",
         .applies = Applies::on_restart,
         .least = 0,
         .most = 1024,
         .of = "threads",
         .sentence = "How many threads serve uplinks. 0: as many as there are processors, at least "
                     "2.",
         .details = "One more serves the control socket, one the requests to the buffer, one the "
                    "log, one the HTTP server if there is one, and two serve each sink. The client "
                    "library of a sink has a few of its own."}),
};

}  // namespace

config::Keys<Config> channel_keys() {
  return channel_key_table;
}

config::Keys<Config> buffer_keys() {
  return buffer_key_table;
}

config::Keys<Config> state_keys() {
  return state_key_table;
}

config::Keys<Config> satellite_keys() {
  return satellite_key_table;
}

config::Keys<Config> log_keys() {
  return log_key_table;
}

config::Keys<Config> plain_keys() {
  return plain_key_table;
}

}  // namespace meridian::daemon
