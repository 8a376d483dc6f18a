/// Which stream to read back, and how.
#pragma once

#include "runtime/output_file.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::sim {

struct ConsumeOptions {
  std::vector<std::string> servers{"nats://127.0.0.1:4222"};  ///< some or all of one cluster
  std::string credentials;                                    ///< a file; "": none
  std::string tls_ca;  ///< a file with CA certificates, which turns TLS on; "": as the URLs say
  std::string stream;
  std::string durable;  ///< the consumer; "": a temporary one that begins at the stream's start
  std::string subject;  ///< may have wildcards; "": all subjects of the stream
  std::optional<std::uint64_t> expected_frames;
  std::chrono::duration<double> idle_timeout{5};
  std::string output;                                          ///< a file for the frames; "": none
  runtime::WhenThere when_there = runtime::WhenThere::refuse;  ///< what to do with what is in it
};

}  // namespace meridian::sim
