/// The stream that a sink publishes into: is it there, does it fit, is it safe.
#pragma once

#include "sink/options.hpp"
#include "sink/refusal.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::sink {

class NatsSession;

// What is asked of a server here waits for it, each time for `stream_timeout` at most. All of it
// throws std::invalid_argument where the subject of the options is no template.
inline constexpr std::chrono::milliseconds stream_timeout{2500};

/// Shorter, and a stop of the daemon between two of its messages may be longer than the server
/// remembers them.
inline constexpr std::chrono::seconds least_duplicate_window{120};

enum class Storage : std::uint8_t { file, memory };
enum class Discard : std::uint8_t { oldest, newest };
enum class Retention : std::uint8_t { limits, interest, work_queue };
[[nodiscard]] std::string_view name_of(Storage storage) noexcept;
[[nodiscard]] std::string_view name_of(Discard discard) noexcept;
[[nodiscard]] std::string_view name_of(Retention retention) noexcept;

/// What does not change by itself. Nothing: no such limit.
struct StreamSettings {
  std::vector<std::string> subjects;
  std::uint32_t replicas = 3;
  Storage storage = Storage::file;
  Discard discard = Discard::newest;  ///< what gives way when the stream is full
  Retention retention = Retention::limits;
  std::chrono::nanoseconds duplicate_window = least_duplicate_window;
  std::optional<std::chrono::nanoseconds> max_age{};
  std::optional<std::uint64_t> max_bytes{};
  std::optional<std::uint64_t> max_messages{};
  std::optional<std::uint64_t> max_messages_per_subject{};
  std::optional<std::uint64_t> max_message_bytes{};  ///< octets of payload and headers
  bool acknowledges = true;
  bool writes_first = true;  ///< what it acknowledges is with the operating system by then
  bool sealed = false;       ///< takes nothing more

  friend bool operator==(const StreamSettings&, const StreamSettings&) = default;
};

struct StreamReport {
  std::string name;
  StreamSettings settings;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::string leader;  ///< the server that leads it; "" without a cluster
  /// Octets of payload that a message may have, headers left out: what server and stream take.
  std::size_t max_payload_bytes = 0;
  /// Sentences that say what may lose frames or hold them up for ever, and what to do.
  std::vector<std::string> unsafe;
};

/// Errors: there is no such stream, it has other subjects than those of the sink, or the server
/// does not tell.
[[nodiscard]] Result<StreamReport> check_stream(NatsSession& session, const Options& options);

/// What is asked of a stream that is created; its subject is that of the sink.
struct StreamWish {
  std::uint32_t replicas = 3;
  std::chrono::nanoseconds duplicate_window = least_duplicate_window;
  std::optional<std::uint64_t> max_bytes{};
  std::optional<std::chrono::nanoseconds> max_age{};
};

struct CreatedStream {
  bool existed = false;  ///< then nothing was changed
  /// Sentences on what is otherwise than was asked for, in a stream that existed.
  std::vector<std::string> differences;
  StreamReport report;
};

/// Creates the stream of the sink: in files, refusing what is new when it is full. Errors: as
/// check_stream, and what the server says against it.
[[nodiscard]] Result<CreatedStream> create_stream(NatsSession& session, const Options& options,
                                                  const StreamWish& wish);

/// What is unsafe about such a stream, for messages of up to `batch_max_bytes` of payload.
[[nodiscard]] std::vector<std::string> find_unsafe(const StreamSettings& settings,
                                                   std::size_t max_payload_bytes,
                                                   std::size_t batch_max_bytes);

/// Whether it removes by itself what it has acknowledged, read or not.
[[nodiscard]] bool removes_messages(const StreamSettings& settings);

/// Which messages a stream has at a moment, by their sequences in it.
struct StreamState {
  std::uint64_t first = 0;  ///< of the first message; one more than `last` where it has none
  std::uint64_t last = 0;   ///< of the last message that it ever had
  /// Of the last message of the subject in question; nothing where it has none.
  std::optional<std::uint64_t> last_of_subject{};
};

/// Whether a message at that sequence, which is not there, can have been there: whether such a
/// stream can have removed it by itself since.
[[nodiscard]] bool can_have_removed(const StreamSettings& settings, const StreamState& state,
                                    std::uint64_t sequence);

/// The same, of the stream as it is now, for a message of `subject`. Errors: as check_stream.
[[nodiscard]] Result<bool> can_have_removed(NatsSession& session, const Options& options,
                                            std::uint64_t sequence, const std::string& subject);

/// What differs between two settings, as sentences.
[[nodiscard]] std::vector<std::string> find_differences(const StreamSettings& there,
                                                        const StreamSettings& wanted);

/// After a server has said that nobody is there to take a message.
[[nodiscard]] Rejection why_nobody_takes(NatsSession& session, const Options& options);

}  // namespace meridian::sink
