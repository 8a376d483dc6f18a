/// The types of sinks: what the daemon needs to know to read, check, describe and start one.
#pragma once

#include "config/key.hpp"
#include "runtime/part.hpp"
#include "sink/options.hpp"
#include "status/sink_table.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::sink {

/// The secrets in the options of a sink. The daemon warns if other users can read them.
struct Secrets {
  struct File {
    std::string path;       ///< "" if there is none
    std::string_view what;  ///< such as "the private key"
  };
  bool password_in_configuration = false;
  std::vector<File> files;
};

/// One type of sink. Constant, and exists as long as the program runs.
struct Type {
  std::string_view name;  ///< the value of `type` in the configuration
  /// For an error message: the library that the type needs, and the option that leaves it
  /// out: "NATS (MERIDIAN_WITH_NATS=OFF)".
  std::string_view part;
  bool is_built = false;  ///< whether this program has sinks of this type

  /// The keys that only this type has.
  config::Keys<Options> (*keys)() = nullptr;
  Secrets (*secrets)(const Options&) = nullptr;
  /// What the method `sinks` and the metrics say about a sink with these options.
  status::SinkInfo (*info)(const Options&) = nullptr;
  /// Makes a sink. `context` is the sink's own; the daemon calls `wait_stopped` on `waiter`.
  /// `context` and `record` must outlive the sink. Throws std::logic_error if this program does not
  /// have the type.
  std::shared_ptr<runtime::Part> (*make)(boost::asio::io_context& context,
                                         const boost::asio::any_io_executor& waiter,
                                         const Options& options, const AggregatorHandle& aggregator,
                                         status::SinkRecord& record) = nullptr;
};

/// All types. The first is the default, for a sink whose configuration names no type.
[[nodiscard]] std::span<const Type* const> types() noexcept;

/// The value of `when_behind` in configurations and answers.
[[nodiscard]] std::string_view name_of(WhenBehind policy) noexcept;

}  // namespace meridian::sink
