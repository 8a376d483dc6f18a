/// Owning handles for objects of the NATS client library.
#pragma once

#include "runtime/c_handle.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <nats/nats.h>

namespace meridian::sim::nats {

using Options = runtime::CHandle<natsOptions, natsOptions_Destroy>;
using Connection = runtime::CHandle<natsConnection, natsConnection_Destroy>;
using JetStream = runtime::CHandle<jsCtx, jsCtx_Destroy>;
using Subscription = runtime::CHandle<natsSubscription, natsSubscription_Destroy>;
using ConsumerInfo = runtime::CHandle<jsConsumerInfo, jsConsumerInfo_Destroy>;
using MetaData = runtime::CHandle<jsMsgMetaData, jsMsgMetaData_Destroy>;

/// Messages that were fetched together.
class MessageList {
 public:
  MessageList() = default;
  MessageList(const MessageList&) = delete;
  MessageList& operator=(const MessageList&) = delete;
  ~MessageList() { natsMsgList_Destroy(&list_); }

  /// For the library to fill. Only once.
  [[nodiscard]] natsMsgList* out() noexcept { return &list_; }

  [[nodiscard]] std::span<natsMsg* const> messages() const noexcept {
    return {list_.Msgs, static_cast<std::size_t>(list_.Count)};
  }

 private:
  natsMsgList list_{};
};

/// What went wrong in the last call of this thread, in the words of the server or the library.
[[nodiscard]] inline std::string describe(natsStatus status) {
  natsStatus last_status = NATS_OK;
  const char* const last_error = nats_GetLastError(&last_status);
  std::string_view detail = last_status == status && last_error != nullptr ? last_error : "";
  // "(file.c:123): text"
  if (const std::size_t end = detail.find("): "); detail.starts_with('(') && end != detail.npos) {
    detail.remove_prefix(end + 3);
  }
  const std::string_view text = natsStatus_GetText(status);
  if (detail.empty() || detail == text) {
    return std::string(text);
  }
  return status == NATS_ERR ? std::string(detail) : fmt::format("{}: {}", text, detail);
}

}  // namespace meridian::sim::nats
