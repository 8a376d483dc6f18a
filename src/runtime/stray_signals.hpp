/// Signals that mean nothing to this program.
#pragma once

namespace meridian::runtime {

/// Ignores all signals whose default action ends the process, with two exceptions. The caller must
/// handle those that ask it to end (SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGXCPU, SIGPWR). Those that
/// report a fault (SIGSEGV, SIGABRT and the like) still end the process. Must be called before
/// threads are started.
void ignore_stray_signals();

}  // namespace meridian::runtime
