/// The stream that a sink publishes into: whether it exists, whether it fits, and whether it is
/// safe.
#pragma once

#include "nats/refusal.hpp"
#include "sink/options.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::nats {
class Session;
}

namespace meridian::sink::jetstream {

// Functions here that ask a server wait for each answer, for `stream_timeout` at most. Those that
// use the subject of the options throw std::invalid_argument if it is not a template.
inline constexpr std::chrono::milliseconds stream_timeout{2500};

/// The shortest safe duplicate window. With a shorter one, a stop of the daemon between two tries
/// of a message may take longer than the server remembers the message.
inline constexpr std::chrono::seconds least_duplicate_window{120};

enum class Storage : std::uint8_t { file, memory };
enum class Discard : std::uint8_t { oldest, newest };
enum class Retention : std::uint8_t { limits, interest, work_queue };
[[nodiscard]] std::string_view name_of(Storage storage) noexcept;
[[nodiscard]] std::string_view name_of(Discard discard) noexcept;
[[nodiscard]] std::string_view name_of(Retention retention) noexcept;

/// The configuration of a stream, which does not change on its own. A limit without a value: there
/// is no such limit.
struct StreamSettings {
  std::vector<std::string> subjects;
  std::uint32_t replicas = 3;
  Storage storage = Storage::file;
  Discard discard = Discard::newest;  ///< which messages give way when the stream is full
  /// With `Discard::newest`: whether new messages give way at the limit of a subject, too.
  bool discards_newest_of_subject = false;
  Retention retention = Retention::limits;
  std::chrono::nanoseconds duplicate_window = least_duplicate_window;
  std::optional<std::chrono::nanoseconds> max_age{};
  std::optional<std::uint64_t> max_bytes{};
  std::optional<std::uint64_t> max_messages{};
  std::optional<std::uint64_t> max_messages_per_subject{};
  std::optional<std::uint64_t> max_message_bytes{};  ///< octets of payload and headers
  bool acknowledges = true;
  bool writes_first = true;  ///< acknowledges a message once the operating system has it
  bool sealed = false;       ///< accepts no more messages

  friend bool operator==(const StreamSettings&, const StreamSettings&) = default;
};

struct StreamReport {
  std::string name;
  StreamSettings settings;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::string leader;  ///< the server that leads the stream; "" without a cluster
  /// The largest payload of a message, in octets without headers, that server and stream accept.
  std::size_t max_payload_bytes = 0;
  /// Sentences, each of which says what may lose frames or hold them up forever, and what to do
  /// about it.
  std::vector<std::string> unsafe;
};

/// Reports on the stream of the sink. Errors: there is no such stream, its subjects do not cover
/// those of the sink, or the server refuses to answer or does not answer.
[[nodiscard]] nats::Result<StreamReport> check_stream(nats::Session& session,
                                                      const Options& options);

/// What the caller of `create_stream` wants. The stream gets the subject of the sink.
struct StreamWish {
  std::uint32_t replicas = 3;
  std::chrono::nanoseconds duplicate_window = least_duplicate_window;
  std::optional<std::uint64_t> max_bytes{};
  std::optional<std::chrono::nanoseconds> max_age{};
};

struct CreatedStream {
  bool existed = false;  ///< if true, nothing was changed
  /// How a stream that existed differs from what was asked for: see `find_differences`.
  std::vector<std::string> differences;
  StreamReport report;
};

/// Creates the stream of the sink, if it does not exist. The new stream has file storage, and
/// refuses new messages when it is full. Errors: the server refuses to answer or to create the
/// stream, or does not answer.
[[nodiscard]] nats::Result<CreatedStream> create_stream(nats::Session& session,
                                                        const Options& options,
                                                        const StreamWish& wish);

/// What is unsafe about a stream with these settings, for messages of up to `batch_max_bytes`
/// octets of payload.
[[nodiscard]] std::vector<std::string> find_unsafe(const StreamSettings& settings,
                                                   std::size_t max_payload_bytes,
                                                   std::size_t batch_max_bytes);

/// Whether a stream with these settings removes acknowledged messages on its own, read or not.
/// Their removal by age does not count.
[[nodiscard]] bool removes_messages(const StreamSettings& settings);

/// Which messages a stream has at a given moment, by their sequences in it.
struct StreamState {
  std::uint64_t first = 0;  ///< of the first message; `last` + 1 if the stream has none
  std::uint64_t last = 0;   ///< of the last message that the stream ever had
  /// Of the last message of the subject in question. No value if that subject has none.
  std::optional<std::uint64_t> last_of_subject{};
};

/// Whether a message can have been at `sequence` although none is there now: a stream with these
/// settings can have removed it since, on its own.
[[nodiscard]] bool can_have_removed(const StreamSettings& settings, const StreamState& state,
                                    std::uint64_t sequence);

/// The same, for a message of `subject` and the stream as the server reports it now. Errors: there
/// is no such stream, or the server refuses to answer or does not answer.
[[nodiscard]] nats::Result<bool> can_have_removed(nats::Session& session, const Options& options,
                                                  std::uint64_t sequence,
                                                  const std::string& subject);

/// What differs between two settings, one text each, such as "replicas: 1, asked for 3".
[[nodiscard]] std::vector<std::string> find_differences(const StreamSettings& there,
                                                        const StreamSettings& wanted);

/// Finds out why, after a server has answered that a message has no receiver.
[[nodiscard]] nats::Rejection why_nobody_takes(nats::Session& session, const Options& options);

}  // namespace meridian::sink::jetstream
