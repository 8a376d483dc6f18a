/// A program under test.
#pragma once

#include "integration/harness/deadlines.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

namespace meridian::test {

/// Runs a program, and captures in memory what it writes. The destructor kills the program, by its
/// process id, if it has not ended.
class ChildProcess {
 public:
  using Arguments = std::vector<std::string>;

  /// `arguments` begin with the path of the program. Adds `environment` ("NAME=value") to this
  /// process's own. Above 2, the program gets only copies of `descriptors`, numbered from 3 up.
  explicit ChildProcess(const Arguments& arguments, const Arguments& environment = {},
                        const std::vector<int>& descriptors = {});
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;

  /// Waits for the end of the program. Returns the exit status, or 128 + the number of the signal
  /// that ended the program. Throws if it still runs after `patience_for_it`.
  int wait(std::chrono::milliseconds patience_for_it = patience);

  /// What the program has written so far.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

  /// The processor time that all threads of the program have used so far.
  [[nodiscard]] std::chrono::milliseconds cpu_time() const;
  /// The memory that the program holds now.
  [[nodiscard]] std::size_t resident_bytes() const;
  [[nodiscard]] std::size_t open_files() const;
  /// Limits the program to `count` open files. The limit may also be higher than before.
  void limit_open_files(std::size_t count) const;
  /// Limits the length of files that the program writes.
  void limit_file_size(std::size_t bytes) const;
  /// Limits the program's memory to `bytes` more than it has now.
  void limit_memory_to_come(std::size_t bytes) const;
  /// Whether SIGSTOP has stopped the program.
  [[nodiscard]] bool halted() const;

 private:
  void limit(__rlimit_resource resource, std::size_t count) const;

  std::string name_;
  int out_ = -1;
  int err_ = -1;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// The status and the output of a program that ran to its end.
struct Finished {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs a program to its end.
[[nodiscard]] Finished run(
    const ChildProcess::Arguments& arguments, const ChildProcess::Arguments& environment = {},
    std::chrono::milliseconds patience_for_it = at_most(std::chrono::seconds(60)));

}  // namespace meridian::test
