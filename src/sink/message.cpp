#include "sink/message.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

namespace meridian::sink {

Message make_message(std::string id, std::vector<FrameBatch> parts) {
  if (parts.empty()) {
    throw std::invalid_argument("a message of no frames");
  }
  const FrameBatch& first = parts.front();
  const FrameBatch& last = parts.back();
  Message message{.origin = origin_of(first),
                  .id = std::move(id),
                  .first_sequence = (*first.begin()).header.sequence,
                  .first_received_at = first.received_at(0),
                  .last_received_at = last.received_at(last.bytes() - 1)};
  for (const FrameBatch& part : parts) {
    message.frames += part.frames();
    message.bytes += part.bytes();
    part.for_each_run([&](const Run& run) {
      if (run.origin != message.origin) {
        throw std::invalid_argument("a message of several origins");
      }
      message.last_sequence = (run.first + run.frames - 1) & largest_sequence(part.stamp().width);
    });
  }
  if (message.bytes > std::numeric_limits<std::int32_t>::max()) {
    throw std::invalid_argument("a message of more than 2 GiB");
  }
  message.parts = std::move(parts);
  return message;
}

}  // namespace meridian::sink
