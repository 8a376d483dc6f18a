#include "status/probes.hpp"

#include <string>
#include <utility>

namespace meridian::status {

namespace {

Verdict verdict(bool good, std::string reason, std::string message) {
  return {.good = good,
          .reason = {{"status", good ? "ok" : "failed"},
                     {"reason", std::move(reason)},
                     {"message", std::move(message)}}};
}

}  // namespace

bool is_full(const BufferLevel& buffer) noexcept {
  Amount used{.frames = buffer.now.frames + buffer.leased.frames,
              .bytes = buffer.now.bytes + buffer.leased.bytes};
  if (buffer.limits.when_full == WhenFull::backpressure) {
    used.frames += buffer.lent.frames;
    used.bytes += buffer.lent.bytes;
  }
  const std::uint64_t average = used.frames == 0 ? 0 : used.bytes / used.frames;
  return used.frames >= buffer.limits.max_frames || used.bytes + average > buffer.limits.max_bytes;
}

Verdict judge_health(bool aggregator_answers) {
  return aggregator_answers
             ? verdict(true, "answering", "the aggregator answers within a second")
             : verdict(false, "not_answering", "the aggregator has not answered for a second");
}

Verdict judge_readiness(bool serving, const BufferLevel& buffer) {
  if (!serving) {
    return verdict(false, "not_serving", "the daemon is starting or stopping");
  }
  if (buffer.limits.when_full != WhenFull::backpressure && is_full(buffer)) {
    return verdict(false, "buffer_full", "the buffer is full, and frames are dropped: drain it");
  }
  return verdict(true, "serving", "listeners are up and accept frames");
}

Verdict without_control_socket(bool inherited) {
  const std::string remedy = inherited ? "restart the .socket unit that it comes from"
                                       : "send SIGHUP to the daemon to create it again";
  return verdict(false, "control_socket_gone",
                 "the file of the control socket is gone, so no client can connect: " + remedy);
}

}  // namespace meridian::status
