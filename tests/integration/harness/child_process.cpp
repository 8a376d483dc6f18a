#include "integration/harness/child_process.hpp"

#include "integration/harness/descriptor.hpp"
#include "integration/harness/require.hpp"
#include "integration/harness/temp_dir.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace meridian::test {

namespace {

/// An unnamed file: unlike a pipe it never fills up, so a program cannot hang on its log.
int make_memory_file(const char* name) {
  const int file = ::memfd_create(name, MFD_CLOEXEC);
  require_call(file >= 0, "memfd_create");
  return file;
}

std::string content_of(int file) {
  struct stat status{};
  require_call(::fstat(file, &status) == 0, "fstat");
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t bytes = ::pread(file, content.data(), content.size(), 0);
  require_call(bytes >= 0, "pread");
  content.resize(static_cast<std::size_t>(bytes));
  return content;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// Copies whose numbers are above those that the program gets, so that none is replaced before it
/// has been handed over.
std::vector<Descriptor> out_of_the_way(const std::vector<int>& descriptors) {
  constexpr int above = 100;
  std::vector<Descriptor> copies;
  for (const int descriptor : descriptors) {
    copies.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, above));
    require_call(copies.back().number() >= 0, "fcntl");
  }
  return copies;
}

std::string_view name_in(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

/// This process's environment with `additions`, which take precedence.
std::vector<std::string> environment_with(const std::vector<std::string>& additions) {
  std::vector<std::string> environment = additions;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    bool replaced = false;
    for (const std::string& addition : additions) {
      replaced |= name_in(addition) == name_in(*variable);
    }
    if (!replaced) {
      environment.emplace_back(*variable);
    }
  }
  return environment;
}

/// From the third field of /proc/PID/stat on; the second, in parentheses, may hold blanks.
std::string status_fields(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  return stat.substr(stat.rfind(')') + 2);
}

}  // namespace

ChildProcess::ChildProcess(const Arguments& arguments, const Arguments& environment,
                           const std::vector<int>& descriptors)
    : name_(std::filesystem::path(arguments.at(0)).filename()),
      out_(make_memory_file("out")),
      err_(make_memory_file("err")) {
  Arguments own_arguments = arguments;
  std::vector<std::string> variables = environment_with(environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out_, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err_, STDERR_FILENO);
  const std::vector<Descriptor> copies = out_of_the_way(descriptors);
  int next = STDERR_FILENO + 1;
  for (const Descriptor& copy : copies) {
    ::posix_spawn_file_actions_adddup2(&actions, copy.number(), next++);
  }
  // The program must not get any other descriptor of this process.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, next);
  const int error =
      ::posix_spawnp(&pid_, own_arguments.at(0).c_str(), &actions, nullptr,
                     pointers_to(own_arguments).data(), pointers_to(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "cannot start " + arguments.at(0));
  }
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : name_(std::move(other.name_)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      pid_(std::exchange(other.pid_, -1)),
      status_(other.status_) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !status_) {
    ::kill(pid_, SIGKILL);
    int ignored = 0;
    ::waitpid(pid_, &ignored, 0);
  }
  ::close(out_);
  ::close(err_);
}

bool ChildProcess::running() {
  if (!status_) {
    int raw = 0;
    const pid_t ended = ::waitpid(pid_, &raw, WNOHANG);
    require_call(ended >= 0, "waitpid");
    if (ended == pid_) {
      status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
  }
  return !status_;
}

void ChildProcess::signal(int number) const {
  if (!status_) {
    require_call(::kill(pid_, number) == 0, "kill");
  }
}

int ChildProcess::wait(std::chrono::milliseconds patience_for_it) {
  if (!eventually([this] { return !running(); }, patience_for_it)) {
    throw std::runtime_error(fmt::format("{} still runs after {} ms; it wrote:\n{}", name_,
                                         patience_for_it.count(), err()));
  }
  return *status_;
}

std::string ChildProcess::out() const {
  return content_of(out_);
}

std::string ChildProcess::err() const {
  return content_of(err_);
}

std::chrono::milliseconds ChildProcess::cpu_time() const {
  std::istringstream fields(status_fields(pid_));  // fields 14 and 15 are times in ticks
  std::string skipped;
  for (int field = 3; field < 14; ++field) {
    fields >> skipped;
  }
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

std::size_t ChildProcess::resident_bytes() const {
  std::istringstream fields(read_file(fmt::format("/proc/{}/statm", pid_)));
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  fields >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void ChildProcess::limit_memory_to_come(std::size_t bytes) const {
  std::istringstream fields(read_file(fmt::format("/proc/{}/statm", pid_)));
  std::size_t total_pages = 0;
  fields >> total_pages;
  limit(RLIMIT_AS, total_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes);
}

std::size_t ChildProcess::open_files() const {
  const std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", pid_));
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

void ChildProcess::limit(__rlimit_resource resource, std::size_t count) const {
  rlimit limit{};
  require_call(::prlimit(pid_, resource, nullptr, &limit) == 0, "prlimit");
  limit.rlim_cur = count;
  require_call(::prlimit(pid_, resource, &limit, nullptr) == 0, "prlimit");
}

void ChildProcess::limit_open_files(std::size_t count) const {
  limit(RLIMIT_NOFILE, count);
}

void ChildProcess::limit_file_size(std::size_t bytes) const {
  limit(RLIMIT_FSIZE, bytes);
}

bool ChildProcess::halted() const {
  return status_fields(pid_).starts_with('T');
}

Finished run(const ChildProcess::Arguments& arguments, const ChildProcess::Arguments& environment,
             std::chrono::milliseconds patience_for_it) {
  ChildProcess process(arguments, environment);
  const int status = process.wait(patience_for_it);
  return {status, process.out(), process.err()};
}

}  // namespace meridian::test
