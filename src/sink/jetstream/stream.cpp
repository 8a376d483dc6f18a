#include "sink/jetstream/stream.hpp"

#include "nats/errors.hpp"
#include "nats/session.hpp"
#include "sink/jetstream/headers.hpp"
#include "sink/jetstream/subject.hpp"
#include "sink/message.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace meridian::sink::jetstream {

namespace {

/// In the library, -1 means that there is no limit, and 0 that the server did not mention it.
std::optional<std::uint64_t> limit_of(std::int64_t number) {
  return number > 0 ? std::optional(static_cast<std::uint64_t>(number)) : std::nullopt;
}

StreamSettings settings_of(const jsStreamConfig& config) {
  StreamSettings settings{
      .subjects = {},
      .replicas = static_cast<std::uint32_t>(config.Replicas),
      .storage = config.Storage == js_MemoryStorage ? Storage::memory : Storage::file,
      .discard = config.Discard == js_DiscardNew ? Discard::newest : Discard::oldest,
      .discards_newest_of_subject = config.DiscardNewPerSubject,
      .duplicate_window = std::chrono::nanoseconds(config.Duplicates),
      .max_bytes = limit_of(config.MaxBytes),
      .max_messages = limit_of(config.MaxMsgs),
      .max_messages_per_subject = limit_of(config.MaxMsgsPerSubject),
      .max_message_bytes = limit_of(config.MaxMsgSize),
      .acknowledges = !config.NoAck,
      .sealed = config.Sealed};
  for (int i = 0; i < config.SubjectsLen; ++i) {
    settings.subjects.emplace_back(config.Subjects[i]);
  }
  if (config.MaxAge > 0) {
    settings.max_age = std::chrono::nanoseconds(config.MaxAge);
  }
  if (config.Retention == js_InterestPolicy) {
    settings.retention = Retention::interest;
  } else if (config.Retention == js_WorkQueuePolicy) {
    settings.retention = Retention::work_queue;
  }
  return settings;
}

/// The subject that all messages of the sink match.
std::string filter_of(const Options& options) {
  return read_subject(options.jetstream.subject).filter();
}

nats::Result<nats::JetStreamHandle> jet_stream(nats::Session& session) {
  jsOptions js_options;
  jsOptions_Init(&js_options);
  js_options.Wait = stream_timeout.count();
  jsCtx* context = nullptr;
  const natsStatus status = natsConnection_JetStream(&context, session.native(), &js_options);
  if (status != NATS_OK) {
    return nats::last_rejection("cannot use JetStream", status);
  }
  return nats::JetStreamHandle(context);
}

/// Why a request to JetStream's API has failed. `request` is such as "STREAM.INFO.TELEMETRY". A
/// request gets no answer if JetStream is not enabled at all, or if we are not permitted to send
/// it.
nats::Rejection api_rejection(nats::Session& session, std::string_view what,
                              std::string_view request, natsStatus status, jsErrCode code) {
  if (code == 0 && status == NATS_NO_RESPONDERS) {
    return {nats::Refusal::not_enabled, fmt::format("{}: JetStream is not enabled", what)};
  }
  nats::Rejection rejection = nats::last_rejection(what, status, code);
  const std::string violation =
      session.inbox()->violation_about(fmt::format("$JS.API.{}", request));
  if (rejection.refusal == nats::Refusal::no_acknowledgement && !violation.empty()) {
    return {nats::Refusal::authorization, fmt::format("{}: {}", what, violation)};
  }
  return rejection;
}

nats::Result<nats::StreamInfoHandle> info_of(nats::Session& session, jsCtx* context,
                                             const std::string& stream) {
  jsStreamInfo* info = nullptr;
  jsErrCode code{};
  const natsStatus status = js_GetStreamInfo(&info, context, stream.c_str(), nullptr, &code);
  if (status == NATS_NOT_FOUND) {  // the library reports this without the server's code
    return nats::Rejection{nats::Refusal::stream_missing,
                           fmt::format("there is no stream {}", stream)};
  }
  if (status != NATS_OK) {
    return api_rejection(session, fmt::format("cannot look up the stream {}", stream),
                         "STREAM.INFO." + stream, status, code);
  }
  return nats::StreamInfoHandle(info);
}

struct Asked {
  nats::JetStreamHandle context;
  nats::StreamInfoHandle info;
};

nats::Result<Asked> ask_for_stream(nats::Session& session, const Options& options) {
  nats::Result<nats::JetStreamHandle> context = jet_stream(session);
  if (!context) {
    return context.error();
  }
  nats::Result<nats::StreamInfoHandle> info =
      info_of(session, context->get(), options.jetstream.stream);
  if (!info) {
    return info.error();
  }
  return Asked{.context = *std::move(context), .info = *std::move(info)};
}

/// Whether the stream writes messages before it acknowledges them. Asks the server directly,
/// because the library is older than this setting and does not report it.
nats::Result<bool> writes_first(nats::Session& session, const std::string& stream) {
  const std::string request = "STREAM.INFO." + stream;
  natsMsg* reply = nullptr;
  const natsStatus status = natsConnection_RequestString(
      &reply, session.native(), ("$JS.API." + request).c_str(), "", stream_timeout.count());
  const nats::MessageHandle owner(reply);
  if (status != NATS_OK) {
    constexpr jsErrCode none{};
    return api_rejection(session, fmt::format("cannot look up the stream {}", stream), request,
                         status, none);
  }
  constexpr bool no_exceptions = false;
  const std::string_view text(natsMsg_GetData(reply),
                              static_cast<std::size_t>(natsMsg_GetDataLength(reply)));
  const auto info = nlohmann::json::parse(text, nullptr, no_exceptions);
  const auto config = info.is_object() ? info.find("config") : info.end();
  const bool readable = config != info.end() && config->is_object();
  return !readable || config->value("persist_mode", nlohmann::json()) != "async";
}

/// The sequence of the last message of a subject. No value if there is no such message.
nats::Result<std::optional<std::uint64_t>> last_sequence_of(nats::Session& session, jsCtx* context,
                                                            const std::string& stream,
                                                            const std::string& subject) {
  natsMsg* message = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetLastMsg(&message, context, stream.c_str(), subject.c_str(), nullptr, &code);
  const nats::MessageHandle owner(message);
  if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr) {
    return std::optional<std::uint64_t>();
  }
  if (status != NATS_OK) {
    return api_rejection(session, fmt::format("cannot get the last message of {}", subject),
                         "STREAM.MSG.GET." + stream, status, code);
  }
  return std::optional(natsMsg_GetSequence(message));
}

std::size_t max_payload_of(nats::Session& session, const StreamSettings& settings) {
  std::uint64_t octets = static_cast<std::uint64_t>(
      std::max<std::int64_t>(natsConnection_GetMaxPayload(session.native()), 0));
  octets = std::min(octets, settings.max_message_bytes.value_or(octets));
  return octets > max_header_bytes ? octets - max_header_bytes : 0;
}

nats::Result<StreamReport> report_on(nats::Session& session, const Options& options,
                                     const jsStreamInfo& info) {
  const nats::Result<bool> first = writes_first(session, options.jetstream.stream);
  if (!first) {
    return first.error();
  }
  StreamReport report{.name = options.jetstream.stream,
                      .settings = settings_of(*info.Config),
                      .messages = info.State.Msgs,
                      .bytes = info.State.Bytes,
                      .leader = {},
                      .unsafe = {}};
  if (info.Cluster != nullptr && info.Cluster->Leader != nullptr) {
    report.leader = info.Cluster->Leader;
  }
  report.settings.writes_first = *first;
  report.max_payload_bytes = max_payload_of(session, report.settings);
  report.unsafe = find_unsafe(report.settings, report.max_payload_bytes, options.batch_max_bytes);
  return report;
}

}  // namespace

nats::Result<StreamReport> check_stream(nats::Session& session, const Options& options) {
  const nats::Result<Asked> asked = ask_for_stream(session, options);
  if (!asked) {
    return asked.error();
  }
  nats::Result<StreamReport> report = report_on(session, options, *asked->info);
  if (!report) {
    return report.error();
  }
  const std::string filter = filter_of(options);
  const auto covers_all = [&](const std::string& subject) { return covers(subject, filter); };
  if (std::ranges::none_of(report->settings.subjects, covers_all)) {
    return nats::Rejection{
        nats::Refusal::subject_not_in_stream,
        fmt::format("the stream {} has the subjects {}, which do not cover {}",
                    options.jetstream.stream, fmt::join(report->settings.subjects, ", "), filter)};
  }
  return report;
}

nats::Result<CreatedStream> create_stream(nats::Session& session, const Options& options,
                                          const StreamWish& wish) {
  const nats::Result<nats::JetStreamHandle> context = jet_stream(session);
  if (!context) {
    return context.error();
  }
  const StreamSettings wanted{.subjects = {filter_of(options)},
                              .replicas = wish.replicas,
                              .duplicate_window = wish.duplicate_window,
                              .max_age = wish.max_age,
                              .max_bytes = wish.max_bytes};
  nats::Result<nats::StreamInfoHandle> info =
      info_of(session, context->get(), options.jetstream.stream);
  if (info) {
    nats::Result<StreamReport> there = report_on(session, options, **info);
    if (!there) {
      return there.error();
    }
    auto differences = find_differences(there->settings, wanted);
    return CreatedStream{
        .existed = true, .differences = std::move(differences), .report = *std::move(there)};
  }
  if (info.error().refusal != nats::Refusal::stream_missing) {
    return info.error();
  }
  const char* subject = wanted.subjects.front().c_str();
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = options.jetstream.stream.c_str();
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Replicas = wish.replicas;
  config.Storage = js_FileStorage;
  config.Discard = js_DiscardNew;
  config.Duplicates = wish.duplicate_window.count();
  config.MaxAge = wish.max_age.value_or(std::chrono::nanoseconds(0)).count();
  config.MaxBytes = wish.max_bytes ? static_cast<std::int64_t>(*wish.max_bytes) : -1;
  jsStreamInfo* created = nullptr;
  jsErrCode code{};
  const natsStatus status = js_AddStream(&created, context->get(), &config, nullptr, &code);
  if (status != NATS_OK) {
    return api_rejection(session,
                         fmt::format("cannot create the stream {}", options.jetstream.stream),
                         "STREAM.CREATE." + options.jetstream.stream, status, code);
  }
  const nats::StreamInfoHandle owner(created);
  nats::Result<StreamReport> report = report_on(session, options, *created);
  if (!report) {
    return report.error();
  }
  return CreatedStream{.existed = false, .differences = {}, .report = *std::move(report)};
}

nats::Result<bool> can_have_removed(nats::Session& session, const Options& options,
                                    std::uint64_t sequence, const std::string& subject) {
  const nats::Result<Asked> asked = ask_for_stream(session, options);
  if (!asked) {
    return asked.error();
  }
  const StreamSettings settings = settings_of(*asked->info->Config);
  StreamState state{.first = asked->info->State.FirstSeq, .last = asked->info->State.LastSeq};
  if (settings.max_messages_per_subject) {
    const nats::Result<std::optional<std::uint64_t>> last =
        last_sequence_of(session, asked->context.get(), options.jetstream.stream, subject);
    if (!last) {
      return last.error();
    }
    state.last_of_subject = *last;
  }
  return can_have_removed(settings, state, sequence);
}

nats::Rejection why_nobody_takes(nats::Session& session, const Options& options) {
  const nats::Result<StreamReport> report = check_stream(session, options);
  if (!report) {
    return report.error();
  }
  return {nats::Refusal::stream_unavailable,
          fmt::format("no server accepts messages for the stream {} now: its servers may be "
                      "electing a leader",
                      options.jetstream.stream)};
}

}  // namespace meridian::sink::jetstream
