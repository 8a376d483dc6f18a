/// A directory for one test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace meridian::test {

/// The constructor makes the directory. The destructor removes it, with everything in it.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }

  /// Writes a file and returns its path.
  [[nodiscard]] std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

/// The whole content of a file. Throws if the file cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace meridian::test
