#include "control/keys.hpp"

#include "control/socket_file.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <grp.h>

namespace meridian::control {

namespace {

using config::Applies;
using config::KeyFacts;
using config::Kind;
using config::Reader;

constexpr std::uint64_t most_request_bytes = 16 * 1024 * 1024;

void read_socket(Reader& reader, const KeyFacts& facts, ServerOptions& options) {
  reader.read(facts.name, options.socket);
  if (options.socket.empty() || options.socket.size() > SocketFile::longest_path) {
    reader.fail(facts.name,
                fmt::format("must be the path of a Unix socket, of 1 to {} octets",
                            SocketFile::longest_path),
                options.socket);
  }
}

/// "0660": octal, with its leading zero, as chmod takes it.
void read_mode(Reader& reader, const KeyFacts& facts, ServerOptions& options) {
  const config::Json* const value = reader.find(facts.name);
  if (value == nullptr) {
    return;
  }
  const std::string text = value->is_string() ? value->get<std::string>() : "";
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, options.access.mode, 8);
  if (text.size() != 4 || text.front() != '0' || parsed.ec != std::errc{} || parsed.ptr != end) {
    reader.fail(facts.name, "must be an octal file mode such as \"0660\"", *value);
  }
}

/// Reads the name of a group that the system knows.
template <auto member>
void read_group(Reader& reader, const KeyFacts& facts, ServerOptions& options) {
  std::optional<std::string> name;
  reader.read_or_null(facts.name, name);
  if (!name) {
    return;
  }
  ::group entry{};
  ::group* found = nullptr;
  std::vector<char> room(65'536);
  ::getgrnam_r(name->c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) {
    reader.fail(facts.name, "must be the name of a group of this system, or null", *name);
  }
  member(options) = found->gr_gid;
}

config::Json number_of(const std::optional<gid_t>& group) {
  return group ? config::Json(*group) : config::Json();
}

constexpr auto group = [](auto& o) -> auto& { return o.access.group; };
constexpr auto read_only_group = [](auto& o) -> auto& { return o.access.read_only_group; };

constexpr std::array server_key_table{
    config::own<ServerOptions, [](auto& o) -> auto& { return o.socket; }>(
        Kind::text,
        {.name = "socket",
         .applies = Applies::on_restart,
         .of = "a path of 1 to 107 bytes",
         .sentence = "The path of the control socket.",
         .details = "For an ordinary user for whom `$XDG_RUNTIME_DIR` is set, the default is "
                    "`$XDG_RUNTIME_DIR/meridian/control.sock`. The daemon creates the directory if "
                    "it is missing."},
        read_socket, [](const ServerOptions& o) { return config::Json(o.socket); }),
    config::own<ServerOptions, [](auto& o) -> auto& { return o.access.mode; }>(
        Kind::text,
        {.name = "mode",
         .of = "an octal file mode of four digits that begins with 0",
         .sentence = "The file mode of the socket: who may connect.",
         .details =
             "Until it is set, only the daemon's own user can connect. The log warns of a mode "
             "that lets all users in. A socket that the service manager has opened keeps the mode "
             "of its unit."},
        read_mode,
        [](const ServerOptions& o) { return config::Json(fmt::format("{:04o}", o.access.mode)); }),
    config::own<ServerOptions, group>(
        Kind::text_or_null,
        {.name = "group",
         .of = "the name of a group",
         .sentence = "The group that owns the socket. null: the daemon's own group.",
         .details =
             "The system must know the group, and the daemon must be in it unless it runs as root. "
             "Without `control.read_only_group`, whoever may connect may do everything: drain, "
             "flush and reload. With it, only root, the daemon's own user and members of "
             "`control.group` may. A socket that the service manager has opened keeps the group of "
             "its "
             "unit."},
        read_group<group>, [](const ServerOptions& o) { return number_of(o.access.group); }),
    config::own<ServerOptions, read_only_group>(
        Kind::text_or_null,
        {.name = "read_only_group",
         .of = "the name of a group",
         .sentence = "A group whose members may connect and read, and change nothing. null: there "
                     "is none, and whoever may connect may do everything.",
         .details =
             "Apart from root and the daemon's own user, users who are neither in this group nor "
             "in "
             "`control.group` are turned away, whatever `control.mode` says. A "
             "reload applies it to clients that connect afterwards, also on a socket that the "
             "service manager has opened; such a socket must let the group in by its own mode and "
             "group. For a socket that the daemon creates "
             "itself, the file system must support access lists (acl(5))."},
        read_group<read_only_group>,
        [](const ServerOptions& o) { return number_of(o.access.read_only_group); }),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.max_clients; }>(
        {.name = "max_clients",
         .least = 1,
         .most = 10'000,
         .of = "clients",
         .sentence = "How many clients may be connected at the same time.",
         .details =
             "A further client gets an error and is cut off. If it may do everything, the reader "
             "(`control.read_only_group`) that has been connected longest is cut off "
             "instead, whatever it is doing."}),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.max_request_bytes; }>(
        {.name = "max_request_bytes",
         .least = 64,
         .most = most_request_bytes,
         .of = "bytes",
         .sentence = "The longest line that a client may send.",
         .details = "A client that sends a longer line gets an error and is cut off."}),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.idle_timeout; }>(
        {.name = "idle_timeout_s",
         .least = 0,
         .most = config::most_seconds,
         .of = "seconds",
         .sentence = "Cuts off a client that has asked for nothing for this long. 0: never.",
         .details = "The client gets an error first. If `control.max_clients` are connected, a "
                    "client that has been idle for 5 seconds makes room for another one. A client "
                    "that holds a lease or watches frames is not idle."}),
};

}  // namespace

config::Keys<ServerOptions> server_keys() {
  return server_key_table;
}

}  // namespace meridian::control
