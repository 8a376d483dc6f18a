/// Where tests find what they test and read. Nothing of it is compiled in, so that an object file
/// is the same in every checkout.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace meridian::test {

/// The root of the checkout, from the environment that ctest sets. Throws std::runtime_error where
/// it is not set.
[[nodiscard]] inline std::filesystem::path source_dir() {
  const char* const given = std::getenv("MERIDIAN_SOURCE_DIR");
  if (given == nullptr) {
    throw std::runtime_error(
        "MERIDIAN_SOURCE_DIR is not set: start the test through ctest, or set it to the root of "
        "the checkout");
  }
  return given;
}

/// Real telemetry, which need not be there.
[[nodiscard]] inline std::filesystem::path telemetry_dir() {
  const char* const given = std::getenv("MERIDIAN_TEST_DATA");
  return given != nullptr ? std::filesystem::path(given) : source_dir() / "../shared/data/ccsds";
}

/// A program from $MERIDIAN_PROGRAM_DIR, which may be of a build under sanitizers; else of the same
/// build as this test, which is in tests/ROOM/ of the build directory.
[[nodiscard]] inline std::string program(const char* name) {
  if (const char* const given = std::getenv("MERIDIAN_PROGRAM_DIR")) {
    return std::filesystem::path(given) / name;
  }
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  return self.parent_path().parent_path().parent_path() / "bin" / name;
}

}  // namespace meridian::test
