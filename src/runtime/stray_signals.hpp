/// Signals that mean nothing to this program.
#pragma once

namespace meridian::runtime {

/// Ignores all signals whose default action ends the process, except those that ask it to end
/// (SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGXCPU, SIGPWR), which the caller must handle, and those
/// that report a fault (SIGSEGV, SIGABRT and the like). Must be called before threads are started.
void ignore_stray_signals();

}  // namespace meridian::runtime
