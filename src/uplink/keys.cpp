#include "uplink/keys.hpp"

#include "config/address.hpp"
#include "config/error.hpp"
#include "frame/space_packet.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <set>
#include <string>
#include <utility>

namespace meridian::uplink {

namespace {

using config::Key;
using config::KeyFacts;
using config::Reader;
using std::string_view_literals::operator""sv;

constexpr std::array channel_policies{std::pair{"backpressure"sv, WhenChannelFull::backpressure},
                                      std::pair{"drop"sv, WhenChannelFull::drop}};

// Bounds that keep a typo from taking the machine down.
constexpr std::uint64_t most_sessions = 1'000'000;
constexpr std::uint64_t most_payload_bytes = 16 * 1024 * 1024;
constexpr std::uint64_t most_peer_timeout_s = 32'767;  // the bound of TCP_KEEPIDLE

void read_name(Reader& reader, const KeyFacts& facts, ListenerOptions& options) {
  reader.read(facts.name, options.name);
  if (options.name.empty()) {
    reader.fail(facts.name, "must not be empty", "");
  }
}

void read_listen(Reader& reader, const KeyFacts& facts, ListenerOptions& options) {
  if (const config::Json* const listen = reader.find(facts.name)) {
    const runtime::HostPort address = config::read_address(reader, facts.name, *listen);
    options.host = address.host;
    options.port = address.port;
  }
}

config::Json listen_of(const ListenerOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), options.host, options.port);
}

void read_satellite_id(Reader& reader, const KeyFacts& facts, ListenerOptions& options) {
  if (options.framing == Framing::ccsds_space_packet) {
    reader.read(facts.name, options.satellite_id, facts.least, facts.most);
  } else if (const config::Json* const satellite_id = reader.find(facts.name)) {
    reader.fail(facts.name,
                "must not be set unless framing is \"ccsds_space_packet\": native frames carry "
                "their own",
                *satellite_id);
  }
}

void read_max_payload_bytes(Reader& reader, const KeyFacts& facts, ListenerOptions& options) {
  if (options.framing == Framing::ccsds_space_packet) {
    options.max_payload_bytes = frame::space_packet::max_packet_bytes;
    reader.read(facts.name, options.max_payload_bytes, frame::space_packet::header_bytes + 1,
                frame::space_packet::max_packet_bytes);
  } else {
    reader.read(facts.name, options.max_payload_bytes, facts.least, facts.most);
  }
}

// The framing comes before the keys whose meaning depends on it.
constexpr std::array listener_key_table{
    config::own<ListenerOptions, [](auto& o) -> auto& { return o.name; }>(
        config::Kind::text,
        {.name = "name",
         .of = "not empty",
         .sentence = "Names the listener in logs and answers.",
         .details = "Names must differ. In the default, `N` is the listener's place in the list, "
                    "counted from 1."},
        read_name, [](const ListenerOptions& o) { return config::Json(o.name); }),
    // An address has two members in the options, so this key copies both.
    Key<ListenerOptions>{
        {.name = "listen",
         .of = "a numeric address and a port",
         .sentence = "The address and port to listen on.",
         .details = "An IPv6 address is written in brackets: `\"[::1]:7400\"`. Port 0 takes a free "
                    "port, which `meridianctl uplinks` shows. Addresses must differ.",
         .kind = config::Kind::text},
        read_listen,
        listen_of,
        [](const ListenerOptions& from, ListenerOptions& to) {
          to.host = from.host;
          to.port = from.port;
        }},
    config::choice<ListenerOptions, [](auto& o) -> auto& { return o.framing; }, framing_names>(
        {.name = "framing",
         .sentence = "What comes over the connection: native frames (`length_prefixed`), or bare "
                     "CCSDS space packets (`ccsds_space_packet`)."}),
    config::own<ListenerOptions, [](auto& o) -> auto& { return o.satellite_id; }>(
        config::Kind::integer,
        {.name = "satellite_id",
         .least = 0,
         .most = std::numeric_limits<SatelliteId>::max(),
         .sentence = "The satellite of all packets of this listener.",
         .details = "Only for the framing `ccsds_space_packet`, because native frames carry the "
                    "number of their satellite."},
        read_satellite_id, [](const ListenerOptions& o) { return config::Json(o.satellite_id); }),
    config::key<ListenerOptions, [](auto& o) -> auto& { return o.max_sessions; }>(
        {.name = "max_sessions",
         .least = 1,
         .most = most_sessions,
         .of = "sessions",
         .sentence = "How many sessions may be open at the same time.",
         .details = "A further connection is turned away with a reset, and counted."}),
    config::own<ListenerOptions, [](auto& o) -> auto& { return o.max_payload_bytes; }>(
        config::Kind::integer,
        {.name = "max_payload_bytes",
         .least = 1,
         .most = most_payload_bytes,
         .of = "bytes",
         .sentence = "The largest payload of a frame. For space packets: the largest packet, "
                     "including its header.",
         .details = "A larger frame ends its session as malformed. With the framing "
                    "`ccsds_space_packet` the value is from 7 to 65542, and the default is 65542, "
                    "the longest that a packet can be."},
        read_max_payload_bytes,
        [](const ListenerOptions& o) { return config::Json(o.max_payload_bytes); }),
    config::key<ListenerOptions, [](auto& o) -> auto& { return o.idle_timeout; }>(
        {.name = "idle_timeout_s",
         .least = 0,
         .most = config::most_seconds,
         .of = "seconds",
         .sentence = "Ends a session from which nothing has come for this long. 0: never.",
         .details = "Time during which backpressure held the session does not count."}),
    config::key<ListenerOptions, [](auto& o) -> auto& { return o.peer_timeout; }>(
        {.name = "peer_timeout_s",
         .least = 0,
         .most = most_peer_timeout_s,
         .of = "seconds",
         .sentence =
             "Ends a session whose peer's machine has not answered for this long, because it "
             "has lost power or the network to it is broken. 0: after some two hours, as "
             "the system's TCP does.",
         .details = "Noticing this may take a little longer. A peer that is reachable and "
                    "sends nothing is left alone."}),
    config::choice<ListenerOptions, [](auto& o) -> auto& { return o.when_channel_full; },
                   channel_policies>(
        {.name = "when_channel_full",
         .sentence = "What a session does while the channel is full: stop reading, so that the "
                     "peer's own sends block (`backpressure`), or go on reading and drop what does "
                     "not fit, counted (`drop`)."}),
};

}  // namespace

config::Keys<ListenerOptions> listener_keys() {
  return listener_key_table;
}

ListenerOptions default_listener(std::size_t index) {
  return {.name = fmt::format("uplink-{}", index + 1), .host = "127.0.0.1", .port = 7400};
}

std::vector<ListenerOptions> read_listeners(const Reader& root, const config::Json& json) {
  if (!json.is_array() || json.empty() || json.size() > most_listeners) {
    root.fail("uplinks", fmt::format("must be a list of 1 to {} listeners", most_listeners), json);
  }
  std::vector<ListenerOptions> listeners;
  std::set<std::string> names;
  std::set<std::pair<std::string, std::uint16_t>> addresses;
  for (std::size_t i = 0; i < json.size(); ++i) {
    ListenerOptions listener = default_listener(i);
    Reader reader(json[i], fmt::format("uplinks[{}]", i));
    config::read_all(reader, listener_keys(), listener);
    reader.finish();
    if (!names.insert(listener.name).second) {
      throw config::Error(
          fmt::format("uplinks[{}].name: \"{}\" is taken by another listener; names "
                      "must differ",
                      i, listener.name));
    }
    if (listener.port != 0 && !addresses.emplace(listener.host, listener.port).second) {
      throw config::Error(
          fmt::format("uplinks[{}].listen: {}:{} is taken by another listener; "
                      "addresses must differ",
                      i, listener.host, listener.port));
    }
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

}  // namespace meridian::uplink
