/// The HTTP server, as the daemon starts it.
#pragma once

#include "http/options.hpp"
#include "runtime/part.hpp"
#include "status/sources.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>

namespace meridian::http {

/// Listens at `options.listen`, which must be set, on a copy of the descriptor `inherited` if there
/// is one. `sources` must outlive the server. Throws std::runtime_error if it cannot bind the
/// address, and std::logic_error in a build without HTTP, where the configuration has already been
/// refused.
[[nodiscard]] std::shared_ptr<runtime::Part> make_server(
    const boost::asio::any_io_executor& executor, const ServerOptions& options,
    std::optional<int> inherited, const status::Sources& sources);

}  // namespace meridian::http
