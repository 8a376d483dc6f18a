#include "runtime/stray_signals.hpp"

#include <csignal>
#include <initializer_list>

namespace meridian::runtime {

void ignore_stray_signals() {
  // SIGPIPE: the reader of the log may go away. SIGXFSZ: a file has reached its maximum size, and
  // the failed write says so. The others have no meaning for this program.
  for (const int signal :
       {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT}) {
    std::signal(signal, SIG_IGN);
  }
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    std::signal(signal, SIG_IGN);
  }
}

}  // namespace meridian::runtime
