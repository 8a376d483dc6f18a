#include "daemon/logging.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace meridian::daemon {

namespace {

/// The message as a JSON string, for the pattern "%*".
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    using Json = nlohmann::json;
    const Json text(std::string(message.payload.data(), message.payload.size()));
    const std::string quoted = text.dump(-1, ' ', false, Json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

spdlog::sink_ptr make_sink(const std::string& target) {
  if (target == "stdout") {
    return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  }
  if (target == "stderr") {
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  // It would make the directories itself, and so hide a slip of the pen.
  if (!std::filesystem::is_directory(std::filesystem::path(target).parent_path())) {
    throw spdlog::spdlog_ex("there is no directory for " + target);
  }
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(target);
}

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format) {
  constexpr auto utc = spdlog::pattern_time_type::utc;
  if (format == LogFormat::text) {
    return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%fZ %l %v", utc);
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>(utc);
  formatter->add_flag<JsonMessage>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":%*})");
  return formatter;
}

}  // namespace

void set_up_logging(const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("meridiand", make_sink(options.target));
  logger->set_formatter(make_formatter(options.format));
  logger->set_level(options.level);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace meridian::daemon
