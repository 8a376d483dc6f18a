/// Tests of meridian-sim consume.
#pragma once

#include "integration/harness/child_process.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/frames.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/stream_client.hpp"
#include "integration/harness/temp_dir.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::test {

inline constexpr std::size_t frames_per_message = 100;

/// Frames of a satellite from sequence `first` on, in `count` messages.
[[nodiscard]] inline std::vector<StreamMessage> messages_of(std::uint32_t satellite_id,
                                                            std::uint64_t first, std::size_t count,
                                                            std::size_t payload_bytes = 8) {
  std::vector<StreamMessage> messages;
  for (std::size_t i = 0; i < count; ++i) {
    messages.push_back(message_of(frames_of(satellite_id, first + i * frames_per_message,
                                            frames_per_message, payload_bytes)));
  }
  return messages;
}

/// For tests that start the servers themselves.
class ConsumeCommand : public NatsTest {
 protected:
  static std::vector<std::string> command(const std::vector<std::string>& servers,
                                          const std::vector<std::string>& options) {
    std::vector<std::string> words{meridian_sim, "consume", "--stream", "T"};
    for (const std::string& server : servers) {
      words.insert(words.end(), {"--server", server});
    }
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
};

/// For tests with one running server that has a stream T.
class ConsumeTest : public ConsumeCommand {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    server_.emplace();
    server_->start();
    client_.emplace(server_->url());
    client_->make_stream("T");
  }

  NatsServer& server() { return *server_; }
  StreamClient& client() { return *client_; }

  Finished consume(const std::vector<std::string>& options) {
    return run(command({server().url()}, options));
  }
  /// The JSON output of the command, with its exit status added as "status".
  nlohmann::json result_of(std::vector<std::string> options) {
    options.emplace_back("--json");
    const Finished finished = consume(options);
    if (finished.status == 0) {
      EXPECT_EQ(finished.err, "");
    }
    nlohmann::json result = nlohmann::json::parse(finished.out);
    result["status"] = finished.status;
    return result;
  }
  /// Starts a reader that goes on until the expected frames have come.
  ChildProcess start_reader(const std::string& expected,
                            const std::vector<std::string>& more = {}) {
    std::vector<std::string> options{"--durable", "d",        "--json", "--idle-timeout",
                                     "60",        "--expect", expected};
    options.insert(options.end(), more.begin(), more.end());
    return ChildProcess(command({server().url()}, options));
  }

  /// Whether a consumer's first `messages` messages are acknowledged, and no delivered message is
  /// still unacknowledged.
  bool acknowledged(std::uint64_t messages, const std::string& consumer = "d") {
    const std::optional<ConsumerState> state = client().consumer("T", consumer);
    return state && state->all_acknowledged_up_to >= messages && state->not_acknowledged == 0;
  }

  TempDir directory_;

 private:
  std::optional<NatsServer> server_;
  std::optional<StreamClient> client_;
};

}  // namespace meridian::test
