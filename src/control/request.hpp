/// Requests of clients of the control socket, and errors in them.
#pragma once

#include "status/json.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/frame.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace meridian::control {

/// JSON from a client. Its keys are sorted, unlike those of status::Json, so that a look-up stays
/// cheap even in a hostile object.
using SentJson = nlohmann::json;

/// The id of a request: the text of its JSON value, so that a number is sent back unchanged,
/// however many digits it has.
class RequestId {
 public:
  RequestId() = default;  ///< null
  RequestId(const SentJson& value) : text_(status::dump(value)) {}

  /// `text` is a JSON value.
  [[nodiscard]] static RequestId from_text(std::string text) {
    RequestId id;
    id.text_ = std::move(text);
    return id;
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  friend bool operator==(const RequestId&, const RequestId&) = default;

 private:
  std::string text_ = "null";
};

enum class Method : std::uint8_t {
  depth,
  drain,
  commit,
  release,
  flush,
  stats,
  uplinks,
  satellites,
  forget,
  sinks,
  tail,
  health,
  reload,
  log_level,
  version
};

/// Error codes of JSON-RPC 2.0, and Meridian's own from -32000 down.
enum class ErrorCode : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  request_too_long = -32000,
  too_many_clients = -32001,
  shut_down = -32002,
  reload_refused = -32003,
  lease_ended = -32004,
  too_many_leases = -32005,
  idle = -32006,
  not_allowed = -32007,
};

enum class FrameFormat : std::uint8_t { json, binary };

struct DrainParams {
  std::uint64_t max_frames = 1000;
  std::optional<SatelliteId> satellite_id;
  FrameFormat format = FrameFormat::json;
  std::optional<std::chrono::seconds> lease{};  ///< nothing: the frames are gone once written
};

struct TailParams {
  std::optional<SatelliteId> satellite_id{};
  std::optional<ChannelId> channel_id{};
  std::optional<std::uint64_t> limit{};  ///< frames; nothing: until the client leaves
  FrameFormat format = FrameFormat::json;
};

struct ForgetParams {
  SatelliteId satellite_id = 0;
  std::optional<ChannelId> channel_id{};  ///< nothing: all of its channels
};

struct Request {
  Method method = Method::depth;
  DrainParams drain{};          ///< for Method::drain
  LeaseId lease = 0;            ///< for Method::commit and Method::release
  TailParams tail{};            ///< for Method::tail
  ForgetParams forget{};        ///< for Method::forget
  std::string log_level{};      ///< for Method::log_level
  bool plain = false;           ///< came as a plain word
  std::optional<RequestId> id;  ///< nothing: a notification, which is carried out and not answered
};

struct Error {
  ErrorCode code;
  std::string message;           ///< says what to do
  RequestId id{};                ///< of the request, as far as it could be read
  bool to_notification = false;  ///< then there is no answer
};

}  // namespace meridian::control
