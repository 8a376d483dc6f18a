/// Daemons with sinks, the streams that they publish into, and readers of these.
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

/// Whether tests run in the size of the acceptance list, some for minutes: MERIDIAN_TEST_LONG=1.
[[nodiscard]] bool long_form();

/// For what a sink does once its servers are back: they elect a leader, the sink notices a dead
/// connection after some 6 s, and its pauses grow to 10 s.
inline const std::chrono::milliseconds patience_for_delivery = at_most(std::chrono::seconds(60));

/// The entry of a sink in a configuration: "archive", into the stream TELEMETRY, with `changes`.
[[nodiscard]] Json sink_into(const std::vector<std::string>& servers,
                             const Json& changes = Json::object());

/// What meridian-sim consume reports about a stream that should have `frames` frames. They must all
/// be there when it begins. Its exit status is added as "status".
[[nodiscard]] Json read_back(const std::vector<std::string>& servers, std::uint64_t frames,
                             const std::string& stream = "TELEMETRY");

/// Expects `frames` frames, each once, and those of each satellite in order and without a gap.
void expect_whole(const Json& read, std::uint64_t frames);

/// Expects that no frame is there twice, and that those of each satellite are in order.
void expect_no_repeats(const Json& read);

/// A test with a daemon, a state directory and NATS servers. Skipped if nats-server is not
/// installed.
class SinkTest : public StateTest {
 protected:
  void SetUp() override;

  /// Starts a daemon with these sinks, the changes `buffer` to its buffer (whose default here is
  /// backpressure), and the changes `more` to anything else.
  Daemon& start_sinks(const std::vector<Json>& sinks, const Json& buffer = Json::object(),
                      const Json& more = Json::object(), const Surroundings& surroundings = {});

  /// Starts simulated uplinks, of satellite 1 and up, with more options.
  [[nodiscard]] ChildProcess simulate(std::size_t uplinks, const std::vector<std::string>& options);
  /// The same with `frames` frames each. Waits until they have ended, and returns their result.
  Json simulate_all(std::size_t uplinks, std::uint64_t frames,
                    const std::vector<std::string>& options = {});

  /// The row of a sink in the answer to `sinks`, and a number in it.
  [[nodiscard]] Json sink(const std::string& name = "archive");
  [[nodiscard]] std::uint64_t figure(const std::string& pointer,
                                     const std::string& name = "archive");

  /// The ledger. Expects that it balances.
  [[nodiscard]] Json ledger();
  [[nodiscard]] std::uint64_t received() { return ledger().at("received"); }
  [[nodiscard]] std::uint64_t delivered() { return ledger().at("delivered"); }

  /// Waits until the uplinks are gone and all of their frames are delivered. Returns how many
  /// frames that were. Their sequences begin at 0 and have no gaps.
  std::uint64_t comes_to_deliver_all();

  /// Waits until `frames` frames are delivered and none remain in the buffer. False if that does
  /// not happen.
  [[nodiscard]] bool comes_to_deliver(std::uint64_t frames);

  /// Waits until a sink says that it cannot go on for this reason, or, if it is "", that it can.
  /// False if that does not happen.
  [[nodiscard]] bool comes_to_say(const std::string& reason, const std::string& name = "archive");
};

}  // namespace meridian::test
