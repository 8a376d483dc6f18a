/// Daemons with sinks, the streams that the sinks publish into, and readers of the streams.
#pragma once

#include "integration/harness/nats_server.hpp"
#include "integration/harness/saved_state.hpp"
#include "integration/harness/test_sink.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::test {

/// Whether tests run as long as the acceptance list asks, some for minutes: MERIDIAN_TEST_LONG=1.
[[nodiscard]] bool long_form();

/// How long to wait for a sink once its servers are back. The servers must elect a leader, the sink
/// notices a dead connection after some 6 s, and its pauses grow to 10 s.
inline const std::chrono::milliseconds patience_for_delivery = at_most(std::chrono::seconds(60));

/// The entry of a sink in a configuration: "archive", into the stream TELEMETRY, with `changes`.
[[nodiscard]] Json sink_into(const std::vector<std::string>& servers,
                             const Json& changes = Json::object());

/// What meridian-sim consume reports about a stream that should have `frames` frames. All of them
/// must be in the stream when this is called. The exit status is added as "status".
[[nodiscard]] Json read_back(const std::vector<std::string>& servers, std::uint64_t frames,
                             const std::string& stream = "TELEMETRY");

/// Expects `frames` frames, each once, and the frames of each satellite in order and without a gap.
void expect_whole(const Json& read, std::uint64_t frames);

/// Expects that no frame is stored twice, and that the frames of each satellite are in order.
void expect_no_repeats(const Json& read);

/// A test with a daemon, a state directory and NATS servers. Skipped if nats-server is not
/// installed.
class SinkTest : public StateTest {
 protected:
  void SetUp() override;

  /// Starts a daemon with these sinks. `buffer` has changes to its buffer, whose default here is
  /// backpressure; `more` has changes to anything else.
  Daemon& start_sinks(const std::vector<Json>& sinks, const Json& buffer = Json::object(),
                      const Json& more = Json::object(), const Surroundings& surroundings = {});

  /// Starts meridian-sim with that many uplinks, which are satellites 1 and up, and more options.
  [[nodiscard]] ChildProcess simulate(std::size_t uplinks, const std::vector<std::string>& options);
  /// The same, with `frames` frames for each uplink. Waits until the uplinks have ended, and
  /// returns the result of meridian-sim.
  Json simulate_all(std::size_t uplinks, std::uint64_t frames,
                    const std::vector<std::string>& options = {});

  /// The row of a sink in the answer to `sinks`, and a number in it.
  [[nodiscard]] Json sink(const std::string& name = "archive");
  [[nodiscard]] std::uint64_t figure(const std::string& pointer,
                                     const std::string& name = "archive");

  /// The ledger, which this expects to balance.
  [[nodiscard]] Json ledger();
  [[nodiscard]] std::uint64_t received() { return ledger().at("received"); }
  [[nodiscard]] std::uint64_t delivered() { return ledger().at("delivered"); }

  /// Waits until the uplinks are gone and all of their frames are delivered. Returns the number of
  /// frames. REQUIRES: the sequences of the uplinks begin at 0 and have no gaps.
  std::uint64_t comes_to_deliver_all();

  /// Waits until `frames` frames are delivered and none remain in the buffer. False if this does
  /// not happen in time.
  [[nodiscard]] bool comes_to_deliver(std::uint64_t frames);

  /// Waits until a sink reports `reason` as its problem; if `reason` is "", until it reports no
  /// problem. False if this does not happen in time.
  [[nodiscard]] bool comes_to_say(const std::string& reason, const std::string& name = "archive");
};

}  // namespace meridian::test
