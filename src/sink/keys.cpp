#include "sink/keys.hpp"

#include "config/error.hpp"
#include "nats/server_url.hpp"
#include "nats/user_info.hpp"
#include "runtime/printable.hpp"
#include "sink/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace meridian::sink {

namespace {

using config::Applies;
using config::KeyFacts;
using config::Kind;
using config::Reader;
using std::string_view_literals::operator""sv;

constexpr std::array behind_policies{std::pair{"hold"sv, WhenBehind::hold},
                                     std::pair{"skip_oldest"sv, WhenBehind::skip_oldest}};

// Well within what the library and the server can count.
constexpr std::uint64_t least_batch_bytes = 1'024;
constexpr std::uint64_t most_batch_bytes = 64 * 1024 * 1024;
constexpr std::uint64_t most_in_flight_bytes = std::uint64_t{1} << 30;
constexpr std::size_t longest_name = 64;

/// The only type of sink.
constexpr std::string_view nats_jetstream = "nats_jetstream";

/// Whether `text` may be part of message ids and metrics.
bool is_name(std::string_view text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && text.size() <= longest_name &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

template <auto member>
void read_name(Reader& reader, const KeyFacts& facts, Options& options) {
  reader.read(facts.name, member(options));
  if (!is_name(member(options))) {
    reader.fail(facts.name,
                fmt::format("must be {}1 to {} letters, digits, \"-\" or \"_\"",
                            facts.name == "stream" ? "the name of a stream, " : "", longest_name),
                member(options));
  }
}

void read_type(Reader& reader, const KeyFacts& facts, Options& /*options*/) {
  std::string type(nats_jetstream);
  reader.read(facts.name, type);
  if (type != nats_jetstream) {
    reader.fail(facts.name, "must be \"nats_jetstream\"", type);
  }
}

/// The servers without what precedes an @, which may be a password.
config::Json as_shown(config::Json servers) {
  if (servers.is_structured()) {
    std::ranges::transform(servers, servers.begin(), as_shown);
  } else if (servers.is_string()) {
    return runtime::hide_password(servers.get_ref<const std::string&>());
  }
  return servers;
}

/// Whether what precedes the @ has an invalid %: it must introduce the number of a character.
bool has_bad_percent(std::string_view url) {
  const std::size_t at = url.rfind('@');
  const std::size_t scheme = url.find("://");
  if (at == std::string_view::npos || scheme == std::string_view::npos || scheme > at) {
    return false;
  }
  const std::size_t begin = scheme + 3;
  return !nats::read_user_info(url.substr(begin, at - begin));
}

void read_servers(Reader& reader, const KeyFacts& facts, Options& options) {
  const auto refuse = [&](const config::Json& value) {
    reader.fail(facts.name,
                fmt::format("must be a list of 1 to {} servers, such as "
                            "\"nats://127.0.0.1:4222\" or \"tls://nats.example:4222\"",
                            facts.most),
                value);
  };
  const config::Json* const list = reader.find(facts.name);
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > facts.most) {
    refuse(list == nullptr ? config::Json(nullptr) : as_shown(*list));
  }
  for (const config::Json& server : *list) {
    if (server.is_string() && has_bad_percent(server.get_ref<const std::string&>())) {
      reader.fail(facts.name,
                  "in user and password of a server, a % must be written as %25 (% and two "
                  "hexadecimal digits stand for another character)",
                  as_shown(server));
    }
    if (!server.is_string() || !nats::read_server_url(server.get_ref<const std::string&>())) {
      refuse(as_shown(server));
    }
    options.servers.push_back(server.get<std::string>());
  }
}

void read_subject(Reader& reader, const KeyFacts& facts, Options& options) {
  reader.read(facts.name, options.subject);
  if (const auto subject = SubjectTemplate::read(options.subject); !subject) {
    reader.fail(facts.name, subject.error(), options.subject);
  }
}

void read_max_in_flight_bytes(Reader& reader, const KeyFacts& facts, Options& options) {
  if (reader.find(facts.name) == nullptr && options.max_in_flight_bytes < options.batch_max_bytes) {
    throw config::Error(
        fmt::format("{}: must be there, not below {}, which is {}: without it is {}",
                    reader.path_of(facts.name), reader.path_of("batch_max_bytes"),
                    options.batch_max_bytes, options.max_in_flight_bytes));
  }
  reader.read(facts.name, options.max_in_flight_bytes, options.batch_max_bytes, facts.most);
}

constexpr auto name = [](auto& o) -> auto& { return o.name; };
constexpr auto stream = [](auto& o) -> auto& { return o.stream; };

constexpr std::array tls_key_table{
    config::key<nats::Tls, [](auto& tls) -> auto& { return tls.enabled; }>(
        {.name = "enabled",
         .applies = Applies::on_restart,
         .sentence = "Whether servers without TLS are refused.",
         .details = "The default applies if there is an object `tls`. If there is none, or it is "
                    "null, TLS is used for servers whose URL begins with `tls`. Certificates are "
                    "read again for each connection."}),
    config::file_or_null<nats::Tls, [](auto& tls) -> auto& { return tls.ca_file; }>(
        {.name = "ca_file",
         .applies = Applies::on_restart,
         .sentence = "Certificates of the authorities that may vouch for the servers. null: those "
                     "that the system trusts."}),
    config::file_or_null<nats::Tls, [](auto& tls) -> auto& { return tls.certificate_file; }>(
        {.name = "certificate_file",
         .applies = Applies::on_restart,
         .sentence = "The daemon's own certificate with its chain, for servers that require "
                     "one.",
         .details = "If it is given, so must be `key_file`."}),
    config::file_or_null<nats::Tls, [](auto& tls) -> auto& { return tls.key_file; }>(
        {.name = "key_file",
         .applies = Applies::on_restart,
         .sentence = "The private key of `certificate_file`."}),
};

void read_tls(Reader& sink, const KeyFacts& facts, Options& options) {
  const config::Json* const json = sink.find(facts.name);
  if (json == nullptr || json->is_null()) {
    return;
  }
  Reader reader(*json, sink.path_of(facts.name));
  nats::Tls& tls = options.tls;
  tls.enabled = true;
  config::read_all(reader, tls_keys(), tls);
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    reader.fail("key_file", "and certificate_file must both be there, or neither", tls.key_file);
  }
  reader.finish();
}

config::Json tls_as_json(const Options& options) {
  if (options.tls == nats::Tls{}) {
    return nullptr;
  }
  config::Json json = config::Json::object();
  for (const config::Key<nats::Tls>& each : tls_keys()) {
    json[std::string(each.facts.name)] = each.value(options.tls);
  }
  return json;
}

constexpr std::array sink_key_table{
    config::own<Options, name>(
        Kind::text,
        {.name = "name",
         .applies = Applies::on_restart,
         .of = "1 to 64 letters, digits, hyphens or underscores",
         .sentence = "Names the sink in answers, logs and metrics.",
         .details =
             "It is part of the ids by which the stream recognises messages, and after a restart "
             "the sink finds its position by it: a sink with another name begins with the oldest "
             "frame in the buffer. Names must differ. In the default, `N` is the sink's place in "
             "the list, counted from 1."},
        read_name<name>, [](const Options& o) { return config::Json(o.name); }),
    config::Key<Options>{{.name = "type",
                          .applies = Applies::on_restart,
                          .of = "a type of sink",
                          .sentence = "What the sink publishes into: a stream of NATS JetStream. "
                                      "There is no other type.",
                          .kind = Kind::text},
                         read_type,
                         [](const Options& /*options*/) { return config::Json(nats_jetstream); },
                         [](const Options& /*from*/, Options& /*to*/) {}},
    config::own<Options, [](auto& o) -> auto& { return o.servers; }>(
        Kind::list,
        {.name = "servers",
         .applies = Applies::on_restart,
         .least = 1,
         .most = 64,
         .of = "URLs of servers",
         .sentence = "All servers of the cluster, such as `\"nats://127.0.0.1:4222\"`. `tls://` "
                     "asks for TLS, and the default port is 4222.",
         .details =
             "Servers that a server advertises are not used. Where a server asks for a user, write "
             "`USER:PASSWORD@` in front of the host. In user and password, write a character that "
             "has a meaning in a URL as % and two hexadecimal digits: `%40` for @, `%25` for %. "
             "The daemon tries the servers in random order, again and again, with pauses that grow "
             "to 10 seconds.",
         .required = true},
        read_servers, [](const Options& o) { return config::Json(o.servers); }),
    config::own<Options, stream>(
        Kind::text,
        {.name = "stream",
         .applies = Applies::on_restart,
         .of = "1 to 64 letters, digits, hyphens or underscores",
         .sentence = "The name of the stream, which `meridianctl sink create` creates.",
         .details = "The stream must have a subject that covers those of the sink. The sink waits "
                    "until it does.",
         .required = true},
        read_name<stream>, [](const Options& o) { return config::Json(o.stream); }),
    config::own<Options, [](auto& o) -> auto& { return o.subject; }>(
        Kind::text,
        {.name = "subject",
         .applies = Applies::on_restart,
         .of = "at most 255 bytes",
         .sentence = "The subject of a message. The two placeholders stand for the numbers of its "
                     "frames.",
         .details =
             "Without one of the placeholders, several satellites or channels share a subject. "
             "Then the sink cannot look for a message whose answer was lost, and repeats are "
             "recognised only within the stream's duplicate window."},
        read_subject, [](const Options& o) { return config::Json(o.subject); }),
    config::file_or_null<Options, [](auto& o) -> auto& { return o.credentials; }>(
        {.name = "credentials",
         .applies = Applies::on_restart,
         .sentence = "A `.creds` file with a user's token and key, as `nsc` writes it. null: none.",
         .details = "The daemon must be able to read it."}),
    config::own<Options, [](auto& o) -> auto& { return o.tls; }>(
        Kind::object,
        {.name = "tls",
         .applies = Applies::on_restart,
         .sentence = "TLS for all servers, and its certificates. null: TLS where a server's URL "
                     "begins with `tls`, with certificates that the system trusts."},
        read_tls, tls_as_json),
    config::key<Options, [](auto& o) -> auto& { return o.batch_max_bytes; }>(
        {.name = "batch_max_bytes",
         .applies = Applies::on_restart,
         .least = least_batch_bytes,
         .most = most_batch_bytes,
         .of = "bytes",
         .sentence = "How many bytes of frames one message holds at most, including their headers "
                     "of 20 bytes.",
         .details = "By default a server accepts messages of 1 MiB. Where it accepts less than "
                    "this key says, messages are smaller. A single frame that is larger is a "
                    "message of its own."}),
    config::own<Options, [](auto& o) -> auto& { return o.max_in_flight_bytes; }>(
        Kind::integer,
        {.name = "max_in_flight_bytes",
         .applies = Applies::on_restart,
         .least = least_batch_bytes,
         .most = most_in_flight_bytes,
         .of = "bytes",
         .sentence = "How many bytes of frames may be in messages that were sent and not "
                     "acknowledged.",
         .details =
             "As many again may wait in the sink. Must not be less than `sinks[].batch_max_bytes`, "
             "so if that is above the default of this key, set this key, too. Frames that the sink "
             "has read keep their room in the buffer as long as anything else can make room, so "
             "this should be a small part of `buffer.max_bytes`."},
        read_max_in_flight_bytes,
        [](const Options& o) { return config::Json(o.max_in_flight_bytes); }),
    config::choice<Options, [](auto& o) -> auto& { return o.when_behind; }, behind_policies>(
        {.name = "when_behind",
         .applies = Applies::on_restart,
         .sentence = "What happens while the buffer is full of frames that the sink has not "
                     "delivered: they stay (`hold`), or the oldest make room, counted "
                     "(`skip_oldest`). `hold` needs `buffer.when_full` to be `backpressure` or "
                     "`drop_newest`.",
         .details = "With `hold`, uplinks wait or new frames are dropped, as `buffer.when_full` "
                    "says. With `skip_oldest`, the oldest frames make room "
                    "under every policy, unless another sink that holds still needs them."}),
};

}  // namespace

config::Keys<nats::Tls> tls_keys() {
  return tls_key_table;
}

config::Keys<Options> sink_keys() {
  return sink_key_table;
}

Options default_sink(std::size_t index) {
  Options options;
  options.name = fmt::format("sink-{}", index + 1);
  return options;
}

std::vector<Options> read_sinks(const Reader& root, const config::Json& json) {
  if (!json.is_array() || json.size() > most_sinks) {
    root.fail("sinks", fmt::format("must be a list of 0 to {} sinks", most_sinks), json);
  }
  std::vector<Options> sinks;
  std::set<std::string> names;
  for (std::size_t i = 0; i < json.size(); ++i) {
    Options options = default_sink(i);
    Reader reader(json[i], fmt::format("sinks[{}]", i));
    config::read_all(reader, sink_keys(), options);
    reader.finish();
    if (!names.insert(options.name).second) {
      throw config::Error(fmt::format(
          "sinks[{}].name: \"{}\" is taken by another sink; names must differ", i, options.name));
    }
    sinks.push_back(std::move(options));
  }
  return sinks;
}

}  // namespace meridian::sink
