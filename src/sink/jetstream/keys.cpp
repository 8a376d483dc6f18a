#include "sink/jetstream/keys.hpp"

#include "nats/server_url.hpp"
#include "nats/user_info.hpp"
#include "runtime/printable.hpp"
#include "sink/jetstream/subject.hpp"
#include "sink/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace meridian::sink::jetstream {

namespace {

using config::Applies;
using config::KeyFacts;
using config::Kind;
using config::Reader;

/// The servers, without the part of each URL in front of the @, which may have a password.
config::Json as_shown(config::Json servers) {
  if (servers.is_structured()) {
    std::ranges::transform(servers, servers.begin(), as_shown);
  } else if (servers.is_string()) {
    return runtime::hide_password(servers.get_ref<const std::string&>());
  }
  return servers;
}

/// Whether the user or password in `url`, in front of the @, has an invalid %. After each %, the
/// two hexadecimal digits of a character must follow.
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
                  "must have % written as %25 in user and password (% and two hexadecimal digits "
                  "stand for another character)",
                  as_shown(server));
    }
    if (!server.is_string() || !nats::read_server_url(server.get_ref<const std::string&>())) {
      refuse(as_shown(server));
    }
    options.jetstream.servers.push_back(server.get<std::string>());
  }
}

void read_template(Reader& reader, const KeyFacts& facts, Options& options) {
  reader.read(facts.name, options.jetstream.subject);
  if (const auto subject = SubjectTemplate::read(options.jetstream.subject); !subject) {
    reader.fail(facts.name, subject.error(), options.jetstream.subject);
  }
}

void read_stream(Reader& reader, const KeyFacts& facts, Options& options) {
  read_name(reader, facts, "the name of a stream, ", options.jetstream.stream);
}

constexpr std::array tls_key_table{
    config::key<nats::Tls, [](auto& tls) -> auto& { return tls.enabled; }>(
        {.name = "enabled",
         .applies = Applies::on_restart,
         .sentence = "true: servers without TLS are refused. false: TLS is used only for servers "
                     "whose URL begins with `tls`.",
         .details = "Without an object `tls` it is as with false. Certificates are read again for "
                    "each connection."}),
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
  nats::Tls& tls = options.jetstream.tls;
  tls.enabled = true;
  config::read_all(reader, tls_keys(), tls);
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    reader.fail("key_file", "must be given together with certificate_file, or not at all",
                tls.key_file);
  }
  reader.finish();
}

config::Json tls_as_json(const Options& options) {
  if (options.jetstream.tls == nats::Tls{}) {
    return nullptr;
  }
  config::Json json = config::Json::object();
  for (const config::Key<nats::Tls>& each : tls_keys()) {
    json[std::string(each.facts.name)] = each.value(options.jetstream.tls);
  }
  return json;
}

constexpr std::array destination_key_table{
    config::own<Options, [](auto& o) -> auto& { return o.jetstream.servers; }>(
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
        read_servers, [](const Options& o) { return config::Json(o.jetstream.servers); }),
    config::own<Options, [](auto& o) -> auto& { return o.jetstream.stream; }>(
        Kind::text,
        {.name = "stream",
         .applies = Applies::on_restart,
         .of = "1 to 64 letters, digits, hyphens or underscores",
         .sentence = "The name of the stream, which `meridianctl sink create` creates.",
         .details = "The stream must have a subject that covers those of the sink. The sink waits "
                    "until it does.",
         .required = true},
        read_stream, [](const Options& o) { return config::Json(o.jetstream.stream); }),
    config::own<Options, [](auto& o) -> auto& { return o.jetstream.subject; }>(
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
        read_template, [](const Options& o) { return config::Json(o.jetstream.subject); }),
    config::file_or_null<Options, [](auto& o) -> auto& { return o.jetstream.credentials; }>(
        {.name = "credentials",
         .applies = Applies::on_restart,
         .sentence = "A `.creds` file with a user's token and key, as `nsc` writes it. null: none.",
         .details = "The daemon must be able to read it."}),
    config::own<Options, [](auto& o) -> auto& { return o.jetstream.tls; }>(
        Kind::object,
        {.name = "tls",
         .applies = Applies::on_restart,
         .sentence = "TLS for all servers, and its certificates. null: TLS where a server's URL "
                     "begins with `tls`, with certificates that the system trusts."},
        read_tls, tls_as_json),
};

}  // namespace

config::Keys<nats::Tls> tls_keys() {
  return tls_key_table;
}

config::Keys<Options> destination_keys() {
  return destination_key_table;
}

}  // namespace meridian::sink::jetstream
