#include "control/methods.hpp"

#include "runtime/log_level.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>

namespace meridian::control {

namespace {

constexpr std::uint64_t most_frames = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t most_lease_s = 86'400;
constexpr std::uint64_t most_satellite_id = std::numeric_limits<SatelliteId>::max();
constexpr std::uint64_t most_channel_id = std::numeric_limits<ChannelId>::max();

SatelliteId satellite_id_from(const SentJson& value) {
  return value.get<SatelliteId>();
}

ChannelId channel_id_from(const SentJson& value) {
  return value.get<ChannelId>();
}

constexpr std::array<std::string_view, 2> frame_formats{"json", "binary"};
FrameFormat frame_format_from(const SentJson& value) {
  return value == "binary" ? FrameFormat::binary : FrameFormat::json;
}

constexpr std::array depth_result{
    Field{"frames", "integer", "Frames in the buffer."},
    Field{"bytes", "integer", "Their bytes, including headers."},
};

constexpr std::array drain_parameters{
    Parameter{.name = "max_frames",
              .least = 1,
              .most = most_frames,
              .default_value = "1000",
              .sentence = "How many frames at most.",
              .store = [](Request& r, const SentJson& v) { v.get_to(r.drain.max_frames); }},
    Parameter{.name = "satellite_id",
              .least = 0,
              .most = most_satellite_id,
              .sentence = "Only frames of this satellite.",
              .store = [](Request& r,
                          const SentJson& v) { r.drain.satellite_id = satellite_id_from(v); }},
    Parameter{
        .name = "format",
        .type = ParameterType::choice,
        .choices = frame_formats,
        .default_value = R"("json")",
        .sentence = "How the frames are sent.",
        .store = [](Request& r, const SentJson& v) { r.drain.format = frame_format_from(v); }},
    Parameter{.name = "lease_s",
              .least = 1,
              .most = most_lease_s,
              .sentence = "Leases the frames for this many seconds, instead of letting go of them "
                          "once they are written.",
              .store =
                  [](Request& r, const SentJson& v) {
                    r.drain.lease = std::chrono::seconds(v.get<std::int64_t>());
                  }},
};

constexpr std::array drain_result{
    Field{"frames", "array|integer",
          "With `json`: the frames, each with `satellite_id`, `channel_id`, `sequence`, `stored`, "
          "`received_at` (RFC 3339, UTC, microseconds) and `payload` (base64), and with "
          "`redelivered` if the frame came back from a lease. With `binary`: how many frames "
          "follow."},
    Field{"bytes", "integer",
          "Only with `binary`: how many octets of frames, in native framing, follow the line."},
    Field{"remaining", "integer", "Frames left in the buffer."},
    Field{"lease", "integer|null",
          "Only with `lease_s`: the id of the lease; null if there was no frame."},
    Field{"redelivered", "array",
          "Only with `binary`, and only if frames came back from a lease. A pair for each stretch "
          "of such frames: the index of the first, counted from 0, and how many there are."},
};
constexpr std::array drain_errors{ErrorCode::too_many_leases};

constexpr std::array lease_parameters{
    Parameter{.name = "lease",
              .least = 1,
              .most = std::numeric_limits<LeaseId>::max(),
              .required = true,
              .sentence = "The id that `drain` gave to this connection.",
              .store = [](Request& r, const SentJson& v) { v.get_to(r.lease); }},
};
constexpr std::array commit_result{
    Field{"committed", "integer", "How many frames are gone for good."}};
constexpr std::array release_result{
    Field{"released", "integer", "How many frames are in the buffer again."}};
constexpr std::array lease_errors{ErrorCode::lease_ended};

constexpr std::array flush_result{Field{"discarded", "integer", "How many frames are gone."}};

constexpr std::array stats_result{
    Field{"ledger", "object",
          "Every frame accounted for: `received` = `buffered` + `leased` + `delivered` + `drained` "
          "+ `flushed` + the sum of `dropped`, which has a number for each reason."},
    Field{"buffer", "object",
          "`frames` and `bytes` now, `max_frames` and `max_bytes`, `frames_high_water` and "
          "`bytes_high_water`."},
    Field{"channel", "object", "`length` now, `capacity` and `high_water`, in batches."},
    Field{"sessions", "object", "Sessions of uplinks: `open`, `accepted`, and `closed` by reason."},
    Field{"malformed", "object", "Streams that broke the framing of their listener, by reason."},
    Field{"truncated", "integer", "Streams that ended in the middle of a frame."},
    Field{"implausible", "integer",
          "Streams of space packets whose first sequence counts do not follow each other."},
    Field{"idle_packets", "integer", "Idle space packets, which are not kept."},
    Field{"control", "object", "`clients`, `accepted`, and `cut_off` by reason."},
    Field{"faults", "object",
          "Exceptions, by where they occurred. The session or client ends; a sink goes on."},
    Field{"tails", "object", "`watchers`, and the frames that they have `lost`."},
    Field{"leases", "object", "`open` leases, their `frames` and `bytes`, and `ended` by reason."},
    Field{"state", "object",
          "The saved state: its `directory`, frames `restored` and `not_restored` at the start, "
          "`damaged_bytes`, and the name under which a damaged state was `set_aside`."},
    Field{"uptime_s", "number", "Seconds since the start."},
};

constexpr std::array uplinks_result{
    Field{"uplinks", "array",
          "Open uplinks: `id`, `listener`, `peer`, `state` (`receiving`, or `held` while "
          "backpressure keeps the daemon from reading), `connected_at`, `last_frame_at`, `frames`, "
          "`bytes`."},
    Field{"closed", "array",
          "The last 64 closed uplinks, as above, and with `closed_at` and `reason`."},
    Field{"listeners", "array", "Listeners: `name`, `framing`, and the `address` in use."},
};

constexpr std::array satellites_result{
    Field{"satellites", "array",
          "A row for each pair of satellite and channel: `satellite_id`, `channel_id`, `frames`, "
          "`bytes`, `last_sequence`, `gaps`, `missing`, `duplicates`, `late`, `dropped`, "
          "`last_seen_at`, `silent`, `jumps`, `resets`, `stored`. If there are pairs without a row "
          "of their own, the last row is their sum; its ids are null."},
};

constexpr std::array forget_parameters{
    Parameter{.name = "satellite_id",
              .least = 0,
              .most = most_satellite_id,
              .required = true,
              .sentence = "The satellite.",
              .store = [](Request& r,
                          const SentJson& v) { r.forget.satellite_id = satellite_id_from(v); }},
    Parameter{
        .name = "channel_id",
        .least = 0,
        .most = most_channel_id,
        .sentence = "Only this channel of it.",
        .store = [](Request& r, const SentJson& v) { r.forget.channel_id = channel_id_from(v); }},
};
constexpr std::array forget_result{
    Field{"forgotten", "integer", "How many channels no longer have a row."}};

constexpr std::array sinks_result{
    Field{"sinks", "array",
          "For each sink: `name`, `type`, `stream`, `subject`, `when_behind`, the `server` that it "
          "is connected to or null, its `problem` (`reason`, `message`) or null, `unsafe` "
          "(sentences about the stream), `lag` (`frames`, `bytes`, `seconds`: what the sink has "
          "yet to deliver and the daemon still has), `in_flight` (`messages`, `bytes`), "
          "`acknowledged` (`frames`, "
          "`bytes`, `messages`, `duplicates`), `retried` (messages that were looked for in the "
          "stream or published again), and `refused` and `skipped` by reason."},
};

constexpr std::array tail_parameters{
    Parameter{
        .name = "satellite_id",
        .least = 0,
        .most = most_satellite_id,
        .sentence = "Only frames of this satellite.",
        .store = [](Request& r, const SentJson& v) { r.tail.satellite_id = satellite_id_from(v); }},
    Parameter{
        .name = "channel_id",
        .least = 0,
        .most = most_channel_id,
        .sentence = "Only frames of this channel, or APID.",
        .store = [](Request& r, const SentJson& v) { r.tail.channel_id = channel_id_from(v); }},
    Parameter{
        .name = "limit",
        .least = 1,
        .most = most_frames,
        .sentence = "Ends after this many frames. Without it, `tail` ends with the "
                    "connection.",
        .store = [](Request& r, const SentJson& v) { r.tail.limit = v.get<std::uint64_t>(); }},
    Parameter{.name = "format",
              .type = ParameterType::choice,
              .choices = frame_formats,
              .default_value = R"("json")",
              .sentence = "How the frames are sent.",
              .store = [](Request& r, const SentJson& v) { r.tail.format = frame_format_from(v); }},
};
constexpr std::array tail_result{
    Field{"frames", "integer", "How many frames were sent."},
    Field{"bytes", "integer", "Their bytes, including headers."},
    Field{"lost", "integer", "How many were not sent, because the client read too slowly."},
};

constexpr std::array health_result{
    Field{"alive", "object",
          "Whether the aggregator answers within a second: `status` (`ok` or `failed`), `reason` "
          "and `message`."},
    Field{
        "ready", "object",
        "Whether uplinks should connect here: listeners and control socket are up, the file of the "
        "socket exists, and no frame is dropped because the buffer is full. It has the same "
        "fields."},
};

constexpr std::array reload_result{
    Field{"changed", "array", "Paths of the keys that were applied."},
    Field{"needs_restart", "array", "Paths of the keys that changed and need a restart."},
};
constexpr std::array reload_errors{ErrorCode::reload_refused};

constexpr std::array log_level_parameters{
    Parameter{.name = "level",
              .type = ParameterType::text,
              .required = true,
              .sentence = "The least important messages to log: `trace`, `debug`, `info`, "
                          "`warning`, `error`, `critical` or `off`.",
              .store = [](Request& r, const SentJson& v) { v.get_to(r.log_level); }},
};
constexpr std::array log_level_result{
    Field{"level", "string", "What is logged from now on."},
    Field{"before", "string", "What was logged before."},
};

constexpr std::array version_result{
    Field{"name", "string", "`meridiand`."},
    Field{"version", "string", "Its version."},
    Field{"build", "string", "Its compiler, kind of build and optional parts."},
};

constexpr std::array methods{
    MethodFacts{.method = Method::depth,
                .name = "depth",
                .sentence = "How much is in the buffer.",
                .result = depth_result},
    MethodFacts{
        .method = Method::drain,
        .name = "drain",
        .changes_something = true,
        .sentence = "Takes frames out of the buffer, the oldest first.",
        .details =
            "It sees all frames that came before it, including those that a full buffer holds back "
            "in the channel. If its answer cannot be written, the frames go back to their place. "
            "With `lease_s` the frames are kept aside until `commit` or `release`, until "
            "the connection ends, or until the time is up. Frames that come back from a lease are "
            "marked "
            "as redelivered. A request without an `id` is not carried out.",
        .parameters = drain_parameters,
        .result = drain_result,
        .errors = drain_errors},
    MethodFacts{.method = Method::commit,
                .name = "commit",
                .changes_something = true,
                .sentence = "Lets go of the frames of a lease of this connection, for good.",
                .parameters = lease_parameters,
                .result = commit_result,
                .errors = lease_errors},
    MethodFacts{.method = Method::release,
                .name = "release",
                .changes_something = true,
                .sentence = "Puts the frames of a lease of this connection back into the buffer.",
                .details = "The same happens when the lease expires or the connection ends.",
                .parameters = lease_parameters,
                .result = release_result,
                .errors = lease_errors},
    MethodFacts{.method = Method::flush,
                .name = "flush",
                .changes_something = true,
                .sentence = "Discards everything in the buffer.",
                .result = flush_result},
    MethodFacts{.method = Method::stats,
                .name = "stats",
                .sentence = "The ledger and all counters.",
                .result = stats_result},
    MethodFacts{.method = Method::uplinks,
                .name = "uplinks",
                .sentence = "Listeners, open uplinks, and the last 64 that were closed.",
                .result = uplinks_result},
    MethodFacts{
        .method = Method::satellites,
        .name = "satellites",
        .sentence = "Counters for each pair of satellite and channel.",
        .details =
            "The counters include all frames, but `last_sequence` is that of the live ones. "
            "`stored` has separate counters for frames that were played back; it is null if there "
            "are none.",
        .result = satellites_result},
    MethodFacts{.method = Method::forget,
                .name = "forget",
                .changes_something = true,
                .sentence = "Forgets a satellite, or one channel of it, until it is heard again.",
                .parameters = forget_parameters,
                .result = forget_result},
    MethodFacts{.method = Method::sinks,
                .name = "sinks",
                .sentence = "How far each sink is, and what is wrong.",
                .result = sinks_result},
    MethodFacts{
        .method = Method::tail,
        .name = "tail",
        .sentence = "Sends frames as they come, without taking them out of the buffer.",
        .details =
            "The client gets a notification at once, and one whenever frames have come: "
            "`{\"method\":\"tail\",\"params\":{\"frames\":[…],\"lost\":n}}`. `lost` says how many "
            "frames came after these and are not sent, because the client read too slowly. In the "
            "format `binary`, `frames` and `bytes` are numbers, and that many octets of native "
            "frames follow the line. The result comes at the end, and requests sent meanwhile are "
            "answered then. A request without an `id` is not carried out.",
        .parameters = tail_parameters,
        .result = tail_result},
    MethodFacts{.method = Method::health,
                .name = "health",
                .sentence = "Whether the daemon is alive and ready.",
                .result = health_result},
    MethodFacts{.method = Method::reload,
                .name = "reload",
                .changes_something = true,
                .sentence = "Reads the configuration file again and applies what has changed.",
                .result = reload_result,
                .errors = reload_errors},
    MethodFacts{.method = Method::log_level,
                .name = "log_level",
                .changes_something = true,
                .sentence = "Changes how much is logged, until the next reload or restart.",
                .parameters = log_level_parameters,
                .result = log_level_result},
    MethodFacts{.method = Method::version,
                .name = "version",
                .sentence = "Name, version and build of the daemon.",
                .result = version_result},
};

}  // namespace

std::span<const MethodFacts> all_methods() {
  return methods;
}

const MethodFacts& facts_of(Method method) {
  return *std::ranges::find(methods, method, &MethodFacts::method);
}

}  // namespace meridian::control
