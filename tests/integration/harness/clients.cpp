#include "integration/harness/clients.hpp"

#include <stdexcept>
#include <utility>

namespace meridian::test {

void ControlClient::read_more() {
  const std::string more = socket_.read_some();
  if (more.empty()) {
    throw std::runtime_error("the daemon ended the control connection");
  }
  received_ += more;
}

std::string ControlClient::read_line() {
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = received_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    searched = received_.size();
    read_more();
  }
}

Json ControlClient::read_json() {
  return Json::parse(read_line());
}

std::string ControlClient::read_octets(std::size_t count) {
  while (received_.size() < count) {
    read_more();
  }
  std::string octets = received_.substr(0, count);
  received_.erase(0, count);
  return octets;
}

Json ControlClient::ask(std::string_view line) {
  send_line(line);
  return read_json();
}

Json ControlClient::call(std::string_view method, const Json& params) {
  Json answer = ask(rpc(method, params));
  if (!answer.contains("result")) {
    throw std::runtime_error("no result: " + answer.dump());
  }
  return std::move(answer["result"]);
}

ControlClient::BinaryDrain ControlClient::drain_binary(Json params) {
  params["format"] = "binary";
  Json result = call("drain", params);
  std::string octets = read_octets(result.at("bytes").get<std::size_t>());
  return {std::move(result), std::move(octets)};
}

std::vector<NativeFrame> ControlClient::drain_all(const Json& params) {
  Json everything = params;
  everything["max_frames"] = 1'000'000'000;
  return decode_native(drain_binary(everything).octets);
}

std::string rpc(std::string_view method, const Json& params, const Json& id) {
  Json request = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
  if (!params.empty()) {
    request["params"] = params;
  }
  return request.dump();
}

int error_code_of(const Json& answer) {
  return answer.contains("error") ? answer.at("error").at("code").get<int>() : 0;
}

std::string error_message_of(const Json& answer) {
  return answer.at("error").at("message").get<std::string>();
}

void UplinkClient::finish() {
  socket_.half_close();
  if (const std::string reply = socket_.read_to_end(); !reply.empty()) {
    throw std::runtime_error("an uplink got a reply: " + reply);
  }
}

void send_whole(std::uint16_t port, std::string_view octets) {
  UplinkClient uplink(port);
  uplink.send(octets);
  uplink.finish();
}

void send_whole(std::uint16_t port, const std::vector<NativeFrame>& frames) {
  send_whole(port, encode(frames));
}

}  // namespace meridian::test
