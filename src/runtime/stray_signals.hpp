/// Signals that are none of this program's.
#pragma once

namespace meridian::runtime {

/// Ignores all signals whose default is to end the process, apart from those that ask for an end
/// (SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGXCPU, SIGPWR), which are the caller's to handle, and those
/// that tell of a fault (SIGSEGV, SIGABRT and their kind). To be called before there are threads.
void ignore_stray_signals();

}  // namespace meridian::runtime
