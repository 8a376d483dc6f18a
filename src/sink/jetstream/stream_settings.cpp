#include "sink/jetstream/stream.hpp"
#include "sink/message.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace meridian::sink::jetstream {

namespace {

std::string text_of(std::integral auto number) {
  return std::to_string(number);
}
std::string text_of(std::chrono::nanoseconds time) {
  return fmt::format("{} s", std::chrono::duration<double>(time).count());
}
std::string text_of(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}
std::string text_of(bool value) {
  return value ? "yes" : "no";
}
std::string text_of(Storage storage) {
  return std::string(name_of(storage));
}
std::string text_of(Discard discard) {
  return std::string(name_of(discard));
}
std::string text_of(Retention retention) {
  return std::string(name_of(retention));
}
template <typename T>
std::string text_of(const std::optional<T>& limit) {
  return limit ? text_of(*limit) : "none";
}

/// Whether the stream removes its oldest messages when it is full.
bool removes_from_the_beginning(const StreamSettings& settings) {
  return settings.discard == Discard::oldest && (settings.max_bytes || settings.max_messages);
}

/// Whether the stream removes the oldest messages of a subject that has reached its limit. By
/// default it does, even if it discards new messages when the whole stream is full.
bool removes_of_a_subject(const StreamSettings& settings) {
  return settings.max_messages_per_subject &&
         (settings.discard == Discard::oldest || !settings.discards_newest_of_subject);
}

}  // namespace

std::string_view name_of(Storage storage) noexcept {
  return storage == Storage::file ? "file" : "memory";
}

std::string_view name_of(Discard discard) noexcept {
  return discard == Discard::oldest ? "oldest" : "newest";
}

std::string_view name_of(Retention retention) noexcept {
  switch (retention) {
    case Retention::limits:
      return "limits";
    case Retention::interest:
      return "interest";
    case Retention::work_queue:
      return "work_queue";
  }
  return "unknown";
}

bool removes_messages(const StreamSettings& settings) {
  return settings.retention != Retention::limits || removes_from_the_beginning(settings) ||
         removes_of_a_subject(settings);
}

bool can_have_removed(const StreamSettings& settings, const StreamState& state,
                      std::uint64_t sequence) {
  if (!removes_messages(settings)) {
    return false;
  }
  if (settings.retention != Retention::limits) {
    // Every message that a reader acknowledges is removed, even from the middle.
    return sequence <= state.last;
  }
  // A limit of the whole stream removes from its beginning.
  const bool from_the_beginning = removes_from_the_beginning(settings) && sequence < state.first;
  // A limit per subject keeps the last message of the subject.
  const bool of_the_subject =
      removes_of_a_subject(settings) && state.last_of_subject && sequence < *state.last_of_subject;
  return from_the_beginning || of_the_subject;
}

std::vector<std::string> find_unsafe(const StreamSettings& settings, std::size_t max_payload_bytes,
                                     std::size_t batch_max_bytes) {
  std::vector<std::string> unsafe;
  if (settings.replicas < 3) {
    unsafe.push_back(fmt::format(
        "It has {} replica(s): if one server fails the stream stops, and messages that only that "
        "server has are lost with its disk. Give it 3 replicas.",
        settings.replicas));
  }
  if (settings.storage == Storage::memory) {
    unsafe.emplace_back(
        "It is stored in memory: a restart of its servers loses acknowledged messages. Create it "
        "with file storage.");
  }
  if (settings.duplicate_window < least_duplicate_window) {
    unsafe.push_back(fmt::format(
        "Its duplicate window is {}: a message that the sink publishes again after that "
        "time is recognised only if the first copy is still the last message of its "
        "subject. "
        "Make the window at least {}.",
        text_of(settings.duplicate_window), text_of(least_duplicate_window)));
  }
  if (removes_from_the_beginning(settings)) {
    unsafe.emplace_back(
        "It has a limit and discards the oldest messages: when it is full it drops acknowledged "
        "messages, read or not. Let it discard new messages instead: then the sink keeps them "
        "until there is room.");
  }
  if (removes_of_a_subject(settings)) {
    unsafe.push_back(
        fmt::format("It keeps {} message(s) per subject and drops older ones, read or not. Remove "
                    "max_msgs_per_subject, or set discard_new_per_subject.",
                    *settings.max_messages_per_subject));
  }
  if (settings.retention == Retention::interest) {
    unsafe.emplace_back(
        "It keeps a message only while a consumer still needs it: without a consumer it drops "
        "every message as soon as it has acknowledged it. Use the retention \"limits\".");
  }
  if (settings.retention == Retention::work_queue) {
    unsafe.emplace_back(
        "It drops messages that a consumer has acknowledged: if the sink loses the answer to a "
        "message and publishes it again after the duplicate window, the message is stored twice. "
        "Use the retention \"limits\".");
  }
  if (!settings.acknowledges) {
    unsafe.emplace_back(
        "It sends no acknowledgements, so nothing counts as delivered. Create it without no_ack.");
  }
  if (!settings.writes_first) {
    unsafe.emplace_back(
        "It acknowledges messages before it writes them (persist_mode async): a server that fails "
        "loses them. Create it without persist_mode.");
  }
  if (settings.sealed) {
    unsafe.emplace_back("It is sealed and accepts no more messages. Use another stream.");
  }
  if (max_payload_bytes < batch_max_bytes) {
    unsafe.push_back(
        fmt::format("It accepts messages of up to {} bytes of payload, but batch_max_bytes is {}. "
                    "Lower batch_max_bytes, or raise max_msg_size of the stream and max_payload of "
                    "the servers.",
                    max_payload_bytes, batch_max_bytes));
  }
  return unsafe;
}

std::vector<std::string> find_differences(const StreamSettings& there,
                                          const StreamSettings& wanted) {
  std::vector<std::string> differences;
  const auto compare = [&](std::string_view name, auto member) {
    if (there.*member != wanted.*member) {
      differences.push_back(fmt::format("{}: {}, asked for {}", name, text_of(there.*member),
                                        text_of(wanted.*member)));
    }
  };
  compare("subjects", &StreamSettings::subjects);
  compare("replicas", &StreamSettings::replicas);
  compare("storage", &StreamSettings::storage);
  compare("discards", &StreamSettings::discard);
  compare("retention", &StreamSettings::retention);
  compare("duplicate window", &StreamSettings::duplicate_window);
  compare("maximum age", &StreamSettings::max_age);
  compare("maximum bytes", &StreamSettings::max_bytes);
  compare("maximum messages", &StreamSettings::max_messages);
  compare("maximum messages per subject", &StreamSettings::max_messages_per_subject);
  compare("maximum bytes per message", &StreamSettings::max_message_bytes);
  compare("acknowledges", &StreamSettings::acknowledges);
  compare("writes before it acknowledges", &StreamSettings::writes_first);
  compare("sealed", &StreamSettings::sealed);
  return differences;
}

}  // namespace meridian::sink::jetstream
