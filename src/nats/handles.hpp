/// Owning handles for objects of the client library.
#pragma once

#include "runtime/c_handle.hpp"

#include <cstddef>
#include <span>

#include <nats/nats.h>

namespace meridian::nats {

using OptionsHandle = runtime::CHandle<natsOptions, natsOptions_Destroy>;
using ConnectionHandle = runtime::CHandle<natsConnection, natsConnection_Destroy>;
using MessageHandle = runtime::CHandle<natsMsg, natsMsg_Destroy>;
using JetStreamHandle = runtime::CHandle<jsCtx, jsCtx_Destroy>;
using StreamInfoHandle = runtime::CHandle<jsStreamInfo, jsStreamInfo_Destroy>;
using SubscriptionHandle = runtime::CHandle<natsSubscription, natsSubscription_Destroy>;
using ConsumerInfoHandle = runtime::CHandle<jsConsumerInfo, jsConsumerInfo_Destroy>;
using MetaDataHandle = runtime::CHandle<jsMsgMetaData, jsMsgMetaData_Destroy>;

/// Messages that were fetched together.
class MessageList {
 public:
  MessageList() = default;
  MessageList(const MessageList&) = delete;
  MessageList& operator=(const MessageList&) = delete;
  ~MessageList() { natsMsgList_Destroy(&list_); }

  /// The library fills this, only once.
  [[nodiscard]] natsMsgList* out() noexcept { return &list_; }

  [[nodiscard]] std::span<natsMsg* const> messages() const noexcept {
    return {list_.Msgs, static_cast<std::size_t>(list_.Count)};
  }

 private:
  natsMsgList list_{};
};

}  // namespace meridian::nats
