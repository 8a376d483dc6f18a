// Publishing with the NATS client library alone: what a sink is compared with.
//
//     bench_publish create URL STREAM SUBJECT REPLICAS     makes the stream anew, in files
//     bench_publish run URL SUBJECT MESSAGES BYTES SUBJECTS IN_FLIGHT_BYTES
//
// `run` publishes MESSAGES of BYTES octets each, to SUBJECT.0, SUBJECT.1, … in turn, each with an
// id, as many at a time as IN_FLIGHT_BYTES allow. It ends once all are acknowledged, and prints one
// line of JSON.
#include "runtime/c_handle.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nats/nats.h>

namespace {

void check(natsStatus status, std::string_view what) {
  if (status != NATS_OK) {
    throw std::runtime_error(std::string(what) + ": " + nats_GetLastError(nullptr));
  }
}

using meridian::runtime::CHandle;
using Connection = CHandle<natsConnection, natsConnection_Destroy>;
using JetStream = CHandle<jsCtx, jsCtx_Destroy>;

Connection connect(const char* url) {
  natsConnection* connection = nullptr;
  check(natsConnection_ConnectTo(&connection, url), "cannot connect");
  return Connection(connection);
}

JetStream jet_stream(natsConnection* connection, std::int64_t max_pending) {
  jsOptions options;
  jsOptions_Init(&options);
  options.PublishAsync.MaxPending = max_pending;
  options.PublishAsync.StallWait = 60'000;
  jsCtx* context = nullptr;
  check(natsConnection_JetStream(&context, connection, &options), "cannot use JetStream");
  return JetStream(context);
}

int create(const char* url, const char* stream, const char* subject, int replicas) {
  const Connection connection = connect(url);
  const JetStream context = jet_stream(connection.get(), 1);
  js_DeleteStream(context.get(), stream, nullptr, nullptr);  // if it is there
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = stream;
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  config.Discard = js_DiscardNew;
  config.Replicas = replicas;
  check(js_AddStream(nullptr, context.get(), &config, nullptr, nullptr), "cannot make the stream");
  return EXIT_SUCCESS;
}

int run(char** arguments) {
  const std::string subject = arguments[1];
  const auto messages = std::stoull(arguments[2]);
  const auto bytes = std::stoull(arguments[3]);
  const auto subjects = std::stoull(arguments[4]);
  const auto in_flight = std::stoull(arguments[5]);
  const Connection connection = connect(arguments[0]);
  const JetStream context = jet_stream(
      connection.get(), static_cast<std::int64_t>(std::max<std::uint64_t>(1, in_flight / bytes)));
  const std::vector<char> payload(bytes, 'x');
  const auto begin = std::chrono::steady_clock::now();
  const std::string run = std::to_string(begin.time_since_epoch().count()) + ".";
  for (std::uint64_t i = 0; i < messages; ++i) {
    const std::string to = subject + "." + std::to_string(i % subjects);
    const std::string id = run + std::to_string(i);
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MsgId = id.c_str();
    check(js_PublishAsync(context.get(), to.c_str(), payload.data(), static_cast<int>(bytes),
                          &options),
          "cannot publish");
  }
  check(js_PublishAsyncComplete(context.get(), nullptr), "not all are acknowledged");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf(R"({"messages": %llu, "octets": %llu, "seconds": %.6f})"
              "\n",
              messages, messages * bytes, seconds.count());
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 6 && std::string_view(argv[1]) == "create") {
      return create(argv[2], argv[3], argv[4], std::stoi(argv[5]));
    }
    if (argc == 8 && std::string_view(argv[1]) == "run") {
      return run(argv + 2);
    }
    std::fputs("usage: bench_publish create|run … (see its source)\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_publish: %s\n", error.what());
  }
  return EXIT_FAILURE;
}
