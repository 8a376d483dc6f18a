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

/// What secrets the options of a sink have, so that the daemon can warn if others can read them.
struct Secrets {
  struct File {
    std::string path;       ///< "" if there is none
    std::string_view what;  ///< such as "the private key"
  };
  bool password_in_configuration = false;
  std::vector<File> files;
};

/// One type of sink. Constant, and there as long as the program runs.
struct Type {
  std::string_view name;  ///< the value of `type` in the configuration
  /// The library that it needs and the option that builds it in, for an error message.
  std::string_view part;
  bool is_built = false;  ///< whether this program has it

  /// Its own keys, besides those of every sink.
  config::Keys<Options> (*keys)() = nullptr;
  Secrets (*secrets)(const Options&) = nullptr;
  /// What `sinks` and the metrics say of it.
  status::SinkInfo (*info)(const Options&) = nullptr;
  /// `context` is the sink's own; `wait_stopped` is called in `waiter`. `context` and `record` must
  /// outlive the sink. Throws std::logic_error where the type is not built.
  std::shared_ptr<runtime::Part> (*make)(boost::asio::io_context& context,
                                         const boost::asio::any_io_executor& waiter,
                                         const Options& options, const AggregatorHandle& aggregator,
                                         status::SinkRecord& record) = nullptr;
};

/// All types. The first is what a sink has whose configuration names none.
[[nodiscard]] std::span<const Type* const> types() noexcept;

/// The value of `when_behind` in configurations and answers.
[[nodiscard]] std::string_view name_of(WhenBehind policy) noexcept;

}  // namespace meridian::sink
