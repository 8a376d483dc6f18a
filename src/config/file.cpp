#include "config/file.hpp"

#include "config/error.hpp"
#include "config/strict_json.hpp"
#include "runtime/c_handle.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

namespace meridian::config {

namespace {

/// No configuration is larger than this. A larger file may be endless.
constexpr std::size_t most_bytes = 16 * 1024 * 1024;

std::string read_text(const std::filesystem::path& file) {
  const auto failure = [](const std::string& why) {
    return Error(
        fmt::format("cannot be read: {}; check that it is a file, and check its permissions", why));
  };
  errno = 0;
  const runtime::CHandle<std::FILE, &std::fclose> in(std::fopen(file.c_str(), "rbe"));
  if (!in) {
    throw failure(std::strerror(errno));
  }
  std::string text;
  std::array<char, 65'536> piece{};
  while (const std::size_t read = std::fread(piece.data(), 1, piece.size(), in.get())) {
    text.append(piece.data(), read);
    if (text.size() > most_bytes) {
      throw failure(fmt::format("it has more than {} bytes", most_bytes));
    }
  }
  if (std::ferror(in.get()) != 0) {
    throw failure(std::strerror(errno));
  }
  return text;
}

}  // namespace

std::optional<std::filesystem::path> find_file(const std::optional<std::filesystem::path>& given) {
  std::error_code ignored;
  if (!given && std::filesystem::exists(installed_file, ignored)) {
    return installed_file;
  }
  return given;
}

nlohmann::json read_file(const std::filesystem::path& file) {
  try {
    return parse_strictly(read_text(file));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace meridian::config
