// Families about the daemon itself: its sessions, clients, faults and log, and the process.
#include "http/metrics_by_subject.hpp"
#include "runtime/faults.hpp"

#include <meridian/malformed.hpp>

namespace meridian::http {

void add_sessions(Families& to, const status::SessionCounts& sessions) {
  to.gauge("meridian_sessions_open", "Uplink sessions that are open.", sessions.open);
  to.counter("meridian_sessions_accepted_total",
             "Connections to an uplink listener, including those that were turned away.",
             sessions.accepted);
  to.by_reason("meridian_sessions_closed_total", "Uplink sessions that have ended, by reason.",
               status::all_close_reasons, sessions.closed);
  to.by_reason("meridian_streams_malformed_total",
               "Streams that broke the framing of their listener, by reason.", all_malformed,
               sessions.malformed);
  to.counter("meridian_streams_truncated_total", "Streams that ended in the middle of a frame.",
             sessions.truncated);
  to.counter(
      "meridian_streams_implausible_total",
      "Streams that parse as space packets but probably are something else: of the first packets "
      "whose APID has been seen before, most have a sequence count that does not follow the last "
      "one. The packets are kept, and the log says so once for each listener.",
      sessions.implausible);
  to.counter("meridian_idle_packets_total", "Idle space packets, which are not kept.",
             sessions.idle_packets);
}

void add_clients(Families& to, const status::ControlCounts& control, const ClientCounts& http) {
  to.gauge("meridian_control_clients", "Clients on the control socket.", control.clients);
  to.counter("meridian_control_accepted_total", "Control clients that have connected.",
             control.accepted);
  to.by_reason("meridian_control_cut_off_total",
               "Control clients that the daemon cut off, by reason.", status::all_cut_offs,
               control.cut_off);
  to.gauge("meridian_http_clients", "Clients of the HTTP server.", http.clients);
  to.counter("meridian_http_accepted_total", "HTTP clients that have connected.", http.accepted);
  to.counter("meridian_http_refused_total",
             "HTTP clients beyond `http.max_clients` that asked for anything but `/healthz`, "
             "`/readyz` or `/metrics`, and those beyond the 8 places reserved for these. Also "
             "connections that had asked for nothing and were closed to make room, and "
             "streams of events beyond `http.max_event_streams`.",
             http.refused);
  to.gauge("meridian_http_event_streams", "HTTP clients that watch events.", http.event_streams);
  to.counter("meridian_http_timed_out_total",
             "HTTP clients that did not send a request, or did not read an answer, within "
             "`http.timeout_s`. Connections kept open for another request are closed without being "
             "counted.",
             http.timed_out);
}

void add_faults(Families& to, const runtime::Faults::Counts& faults) {
  to.by("of", "meridian_faults_total",
        "Exceptions, from a bug or because memory ran out, by where they occurred. The session "
        "or client in which one occurs ends; a sink goes on. The log names the exception.",
        runtime::all_fault_kinds, faults);
}

void add_log(Families& to, const LogCounts& log) {
  to.counter("meridian_log_lines_left_out_total",
             "Lines about peers that were not logged. The log takes 20 lines of each kind in a "
             "second, and then one that says how many more there were.",
             log.left_out);
  to.counter(
      "meridian_log_lines_lost_total",
      "Log lines discarded because `log.target` failed or could not keep up. Nothing waits for "
      "the log.",
      log.lost);
}

void add_state(Families& to, const status::StateReport& state) {
  to.gauge("meridian_state_restored_frames",
           "Frames that the last stop saved and this start restored.", state.restored);
  to.gauge("meridian_state_not_restored_frames",
           "Frames that the last stop saved and this start could not read.", state.not_restored);
  to.gauge("meridian_state_damaged_bytes",
           "Bytes of the saved state that this start could not read.", state.damaged_bytes);
}

void add_process(Families& to, const status::ProcessFigures& process) {
  to.counter("process_cpu_seconds_total",
             "User and system processor time. Metrics of the process have the names that all "
             "exporters use.",
             process.cpu_s);
  to.gauge("process_resident_memory_bytes", "Resident memory.", process.resident_bytes);
  to.gauge("process_virtual_memory_bytes", "Virtual memory.", process.virtual_bytes);
  to.gauge("process_open_fds", "Open file descriptors. Each session and each client has one.",
           process.open_descriptors);
  to.gauge("process_max_fds", "How many file descriptors may be open.", process.max_descriptors);
  to.gauge("process_threads", "Threads.", process.threads);
  to.gauge("process_start_time_seconds", "Start of this process, in seconds since 1970.",
           process.started_at_s);
}

}  // namespace meridian::http
