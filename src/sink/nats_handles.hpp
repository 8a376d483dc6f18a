/// Owning handles for objects of the client library.
#pragma once

#include "runtime/c_handle.hpp"

#include <nats/nats.h>

namespace meridian::sink {

using OptionsHandle = runtime::CHandle<natsOptions, natsOptions_Destroy>;
using ConnectionHandle = runtime::CHandle<natsConnection, natsConnection_Destroy>;
using MessageHandle = runtime::CHandle<natsMsg, natsMsg_Destroy>;
using JetStreamHandle = runtime::CHandle<jsCtx, jsCtx_Destroy>;
using StreamInfoHandle = runtime::CHandle<jsStreamInfo, jsStreamInfo_Destroy>;

}  // namespace meridian::sink
