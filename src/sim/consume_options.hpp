/// What to read back.
#pragma once

#include "runtime/output_file.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::sim {

struct ConsumeOptions {
  std::vector<std::string> servers{"nats://127.0.0.1:4222"};  ///< any of one cluster
  std::string credentials;                                    ///< a file; "": none
  std::string tls_ca;  ///< a file with CA certificates, turns on TLS; "": as the URLs say
  std::string stream;
  std::string durable;  ///< name of the consumer; "": one of its own, from the start of the stream
  std::string subject;  ///< with wildcards; "": all of the stream
  std::optional<std::uint64_t> expected_frames;
  std::chrono::duration<double> idle_timeout{5};
  std::string output;                                          ///< a file for the frames; "": none
  runtime::WhenThere when_there = runtime::WhenThere::refuse;  ///< what becomes of that file
};

}  // namespace meridian::sim
