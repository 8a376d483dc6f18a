/// Owners for what the client library hands out.
#pragma once

#include <memory>

#include <nats/nats.h>

namespace meridian::sink {

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* object) const noexcept {
    destroy(object);
  }
};

using OptionsHandle = std::unique_ptr<natsOptions, Destroy<natsOptions_Destroy>>;
using ConnectionHandle = std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>>;
using MessageHandle = std::unique_ptr<natsMsg, Destroy<natsMsg_Destroy>>;
using JetStreamHandle = std::unique_ptr<jsCtx, Destroy<jsCtx_Destroy>>;
using StreamInfoHandle = std::unique_ptr<jsStreamInfo, Destroy<jsStreamInfo_Destroy>>;

}  // namespace meridian::sink
