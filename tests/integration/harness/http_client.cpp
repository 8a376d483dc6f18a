#include "integration/harness/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>
#include <tuple>

namespace meridian::test {

std::uint16_t http_port(const Daemon& daemon) {
  constexpr std::string_view said = " for HTTP clients";
  std::ignore = daemon.logged(said);
  for (const std::string& line : lines_of(daemon.log())) {
    const std::size_t end = line.find(said);
    if (end != std::string::npos) {
      return static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':', end) + 1)));
    }
  }
  throw std::runtime_error("the log does not say where the HTTP server is: " + daemon.log());
}

HttpAnswer HttpClient::request(std::string_view method, std::string_view target) {
  socket_.send(fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n\r\n", method, target));
  return read_answer(method != "HEAD");
}

HttpAnswer HttpClient::read_answer(bool has_body) {
  HttpAnswer answer;
  const std::string status = read_line();
  answer.status = std::stoi(status.substr(status.find(' ') + 1));
  for (std::string line = read_line(); !line.empty(); line = read_line()) {
    std::string name = line.substr(0, line.find(": "));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    answer.headers[name] = line.substr(line.find(": ") + 2);
  }
  if (has_body && answer.headers.contains("content-length")) {
    answer.body = read_octets(std::stoul(answer.headers["content-length"]));
  } else if (has_body && answer.headers.contains("transfer-encoding")) {
    for (std::size_t size = std::stoul(read_line(), nullptr, 16); size > 0;
         size = std::stoul(read_line(), nullptr, 16)) {
      answer.body += read_octets(size);
      read_line();
    }
    read_line();
  }
  return answer;
}

std::string HttpClient::read_line() {
  std::size_t end = received_.find("\r\n");
  while (end == std::string::npos) {
    const std::string more = socket_.read_some();
    if (more.empty()) {
      throw std::runtime_error("the server has ended the connection: " + received_);
    }
    received_ += more;
    end = received_.find("\r\n");
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  return line;
}

std::string HttpClient::read_octets(std::size_t count) {
  while (received_.size() < count) {
    const std::string more = socket_.read_some();
    if (more.empty()) {
      throw std::runtime_error("the server has ended the connection in an answer");
    }
    received_ += more;
  }
  std::string octets = received_.substr(0, count);
  received_.erase(0, count);
  return octets;
}

HttpAnswer http_get(const Daemon& daemon, std::string_view target) {
  return HttpClient(http_port(daemon)).request("GET", target);
}

std::map<std::string, double> metrics_of(const Daemon& daemon) {
  std::map<std::string, double> samples;
  for (const std::string& line : lines_of(http_get(daemon, "/metrics").body)) {
    if (!line.empty() && !line.starts_with('#')) {
      const std::size_t space = line.rfind(' ');
      samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
    }
  }
  return samples;
}

}  // namespace meridian::test
