/// Daemons with sinks, the streams that they publish into, and whoever reads those.
#pragma once

#include "integration/harness/nats_server.hpp"
#include "integration/harness/saved_state.hpp"
#include "integration/harness/test_sink.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::testing {

/// Whether tests run in the size of the acceptance list, some for minutes: MERIDIAN_TEST_LONG=1.
[[nodiscard]] bool long_form();

/// For what a sink does when its servers are there again: they elect a leader, it notices a dead
/// connection in some 6 s, and its pauses grow to 10 s.
inline const std::chrono::milliseconds patience_for_delivery = at_most(std::chrono::seconds(60));

/// The entry of a sink in a configuration: "archive", into the stream TELEMETRY, with `changes`.
[[nodiscard]] Json sink_into(const std::vector<std::string>& servers,
                             const Json& changes = Json::object());

/// What meridian-sim consume says of a stream, which is to have so many frames; they are all there
/// when it begins. Its exit status is beside it, as "status".
[[nodiscard]] Json read_back(const std::vector<std::string>& servers, std::uint64_t frames,
                             const std::string& stream = "TELEMETRY");

/// That it has so many frames, each once, and those of each satellite without a hole and in order.
void expect_whole(const Json& read, std::uint64_t frames);

/// That none of its frames is there twice, and those of each satellite are in order.
void expect_no_repeats(const Json& read);

/// A test with a daemon, a state directory and NATS servers. Skipped where there are none.
class SinkTest : public StateTest {
 protected:
  void SetUp() override;

  /// Starts a daemon with these sinks, a buffer with `changes` (backpressure, if they do not say),
  /// and what else is to be changed.
  Daemon& start_sinks(const std::vector<Json>& sinks, const Json& buffer = Json::object(),
                      const Json& more = Json::object(), const Surroundings& surroundings = {});

  /// Simulated uplinks, satellite 1 and up, with more options.
  [[nodiscard]] ChildProcess simulate(std::size_t uplinks, const std::vector<std::string>& options);
  /// The same, with so many frames each, to their end.
  Json simulate_all(std::size_t uplinks, std::uint64_t frames,
                    const std::vector<std::string>& options = {});

  /// The row of a sink in the answer to `sinks`, and a number in it.
  [[nodiscard]] Json sink(const std::string& name = "archive");
  [[nodiscard]] std::uint64_t figure(const std::string& pointer,
                                     const std::string& name = "archive");

  /// The ledger, which has to balance whenever it is looked at.
  [[nodiscard]] Json ledger();
  [[nodiscard]] std::uint64_t received() { return ledger().at("received"); }
  [[nodiscard]] std::uint64_t delivered() { return ledger().at("delivered"); }

  /// Waits until the uplinks are gone and all that came of them is delivered, and returns how many
  /// frames that were. Their sequences begin at 0 and have no gaps.
  std::uint64_t comes_to_deliver_all();

  /// Waits until so many frames are delivered, and no more remain in the buffer.
  [[nodiscard]] bool comes_to_deliver(std::uint64_t frames);

  /// Waits until a sink says why it does not go on, and returns the reason; "": it does.
  [[nodiscard]] bool comes_to_say(const std::string& reason, const std::string& name = "archive");
};

}  // namespace meridian::testing
