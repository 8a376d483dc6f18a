// Any line gives a request or an error, and any answer is one line of valid JSON.
#include "control/protocol.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void require_one_json_line(const std::string& answer) {
  require(!answer.empty() && answer.find('\n') == answer.size() - 1);
  require(nlohmann::json::accept(answer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meridian::control;
  const auto parsed = parse_request(std::string_view(reinterpret_cast<const char*>(data), size));
  if (const auto* request = std::get_if<Request>(&parsed)) {
    require(request->drain.max_frames >= 1);
    require_one_json_line(encode_result(*request, {{"frames", 1}}));
  } else {
    const Error& error = std::get<Error>(parsed);
    require(!error.message.empty() && static_cast<int>(error.code) < 0);
    require_one_json_line(encode_error(error));
  }
  return 0;
}
