#include "sink/jetstream/headers.hpp"

#include "runtime/time_text.hpp"

namespace meridian::sink::jetstream {

std::array<Header, 6> headers_of(const Message& message) {
  return {{{"Nats-Msg-Id", message.id},
           {"Meridian-Frames", std::to_string(message.frames)},
           {"Meridian-First-Sequence", std::to_string(message.first_sequence)},
           {"Meridian-Last-Sequence", std::to_string(message.last_sequence)},
           {"Meridian-First-Received-At", runtime::format_time(message.first_received_at)},
           {"Meridian-Last-Received-At", runtime::format_time(message.last_received_at)}}};
}

}  // namespace meridian::sink::jetstream
