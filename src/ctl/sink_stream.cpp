#include "ctl/sink.hpp"
#include "nats/refusal.hpp"
#include "nats/session.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace meridian::ctl {

namespace {

[[noreturn]] void fail(const sink::Options& options, const nats::Rejection& why) {
  throw std::runtime_error(
      fmt::format("sink {}: {}: {}", options.name, name_of(why.refusal), why.text));
}

}  // namespace

sink::jetstream::CreatedStream create_sink_stream(const sink::Options& options,
                                                  const sink::jetstream::StreamWish& wish) {
  const auto session = nats::Session::connect(options.jetstream.connection(options.name));
  if (!session) {
    fail(options, session.error());
  }
  auto created = sink::jetstream::create_stream(**session, options, wish);
  if (!created) {
    fail(options, created.error());
  }
  return *std::move(created);
}

}  // namespace meridian::ctl
