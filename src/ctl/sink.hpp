/// `meridianctl sink create`.
#pragma once

#include "sink/jetstream/stream.hpp"
#include "sink/options.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace meridian::ctl {

/// The sink with that name; without a name, the only sink. Otherwise throws std::runtime_error,
/// which says which sinks there are.
[[nodiscard]] const sink::Options& choose_sink(const std::vector<sink::Options>& sinks,
                                               const std::optional<std::string>& name);

/// Connects to one of the sink's servers and creates its stream. Does not change a stream that
/// exists. Waits for the servers: see nats::Session::connect and sink::jetstream::stream_timeout.
/// On failure throws std::runtime_error with the kind of the refusal and its text.
[[nodiscard]] sink::jetstream::CreatedStream create_sink_stream(
    const sink::Options& options, const sink::jetstream::StreamWish& wish);

/// Whether the stream is as the caller asked for.
[[nodiscard]] bool as_asked(const sink::jetstream::CreatedStream& created);

/// Lines of text: what was created, or how an existing stream differs, and what is unsafe about the
/// stream.
[[nodiscard]] std::string report_created(const sink::jetstream::CreatedStream& created);

/// The same as JSON, for programs.
[[nodiscard]] nlohmann::ordered_json to_json(const sink::jetstream::CreatedStream& created);

}  // namespace meridian::ctl
