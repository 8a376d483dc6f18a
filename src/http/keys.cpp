#include "http/keys.hpp"

#include "config/address.hpp"
#include "runtime/host_port.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace meridian::http {

namespace {

using config::Applies;
using config::KeyFacts;
using config::Kind;
using config::Reader;

void read_listen(Reader& reader, const KeyFacts& facts, ServerOptions& options) {
  const config::Json* const listen = reader.find(facts.name);
  if (listen != nullptr && !listen->is_null()) {
    const runtime::HostPort address =
        config::read_address(reader, facts.name, *listen, "; or null: no HTTP");
    options.listen.emplace(boost::asio::ip::make_address(address.host), address.port);
  }
}

void read_names(Reader& reader, const KeyFacts& facts, ServerOptions& options) {
  const config::Json* const list = reader.find(facts.name);
  if (list == nullptr) {
    return;
  }
  const auto is_host = [](const config::Json& name) {
    return name.is_string() && runtime::is_host(name.get_ref<const std::string&>());
  };
  if (!list->is_array() || list->size() > facts.most || !std::ranges::all_of(*list, is_host)) {
    reader.fail(facts.name,
                fmt::format("must be a list of 0 to {} names or addresses without a port, such as "
                            "\"meridian.example\"",
                            facts.most),
                *list);
  }
  options.names = list->get<std::vector<std::string>>();
}

constexpr std::array server_key_table{
    config::own<ServerOptions, [](auto& o) -> auto& { return o.listen; }>(
        Kind::text_or_null,
        {.name = "listen",
         .applies = Applies::on_restart,
         .of = "a numeric address and a port",
         .sentence = "The address and port of the HTTP server. null: there is none.",
         .details = "Written as in `uplinks[].listen`, such as `\"127.0.0.1:7480\"`. Whoever can "
                    "connect can read all figures, without a password and unencrypted. A build "
                    "without HTTP refuses any value but null."},
        read_listen,
        [](const ServerOptions& o) {
          return o.listen ? config::Json(runtime::to_text(*o.listen)) : config::Json();
        }),
    config::own<ServerOptions, [](auto& o) -> auto& { return o.names; }>(
        Kind::list,
        {.name = "names",
         .applies = Applies::on_restart,
         .least = 0,
         .most = 64,
         .of = "names or addresses without a port",
         .sentence =
             "Names and addresses by which clients know the server, in addition to the addresses "
             "that it listens on, those of loopback, and `localhost`.",
         .details = "For example `\"meridian.example\"`, or an address that is forwarded to the "
                    "server. Write "
                    "IPv6 addresses in brackets. A request whose `Host` names anything else gets "
                    "status 421: it may come from a page of another site."},
        read_names, [](const ServerOptions& o) { return config::Json(o.names); }),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.max_clients; }>(
        {.name = "max_clients",
         .applies = Applies::on_restart,
         .least = 1,
         .most = 10'000,
         .of = "clients",
         .sentence = "How many clients may be connected at the same time; one more gets status "
                     "503.",
         .details =
             "Eight more places are reserved for `/healthz`, `/readyz` and `/metrics`, one request "
             "each, so that they are answered however many clients there are. If these are taken, "
             "too, the connection "
             "that has been there longest without a whole request is closed to make room."}),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.timeout; }>(
        {.name = "timeout_s",
         .applies = Applies::on_restart,
         .least = 1,
         .most = 3600,
         .of = "seconds",
         .sentence = "Ends a client that takes longer to send a request, or to read a piece of an "
                     "answer."}),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.max_event_streams; }>(
        {.name = "max_event_streams",
         .applies = Applies::on_restart,
         .least = 0,
         .most = 10'000,
         .of = "clients",
         .sentence = "How many of the clients may watch events, as each open page does; one more "
                     "gets status 503."}),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.event_stream; }>(
        {.name = "event_stream_s",
         .applies = Applies::on_restart,
         .least = 1,
         .most = config::most_seconds,
         .of = "seconds",
         .sentence = "A stream of events ends after this long, and a browser opens another one.",
         .details = "So a stream that a proxy still holds open for a page that was closed gives "
                    "its place back."}),
    config::key<ServerOptions, [](auto& o) -> auto& { return o.max_satellites; }>(
        {.name = "max_satellites",
         .applies = Applies::on_restart,
         .least = 0,
         .most = 65'536,
         .of = "pairs of satellite and channel",
         .sentence = "How many pairs of satellite and channel have series of their own in "
                     "`/metrics`; the others are summed."}),
};

}  // namespace

config::Keys<ServerOptions> server_keys() {
  return server_key_table;
}

}  // namespace meridian::http
