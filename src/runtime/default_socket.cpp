#include "runtime/default_socket.hpp"

#include <cstdlib>

#include <unistd.h>

namespace meridian::runtime {

std::string default_socket() {
  const char* const runtime_directory = std::getenv("XDG_RUNTIME_DIR");
  if (::geteuid() != 0 && runtime_directory != nullptr && *runtime_directory != '\0') {
    return std::string(runtime_directory) + "/meridian/control.sock";
  }
  return socket_of_the_service;
}

}  // namespace meridian::runtime
