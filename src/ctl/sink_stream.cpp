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

sink::CreatedStream create_sink_stream(const sink::Options& options, const sink::StreamWish& wish) {
  const auto session = nats::Session::connect(options.connection());
  if (!session) {
    fail(options, session.error());
  }
  auto created = sink::create_stream(**session, options, wish);
  if (!created) {
    fail(options, created.error());
  }
  return *std::move(created);
}

}  // namespace meridian::ctl
