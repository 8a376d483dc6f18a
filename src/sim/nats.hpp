/// Objects of the NATS client library, each destroyed by whoever owns it.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <nats/nats.h>

namespace meridian::sim::nats {

template <auto destroy>
struct Destroy {
  template <typename Object>
  void operator()(Object* object) const noexcept {
    destroy(object);
  }
};

using Options = std::unique_ptr<natsOptions, Destroy<natsOptions_Destroy>>;
using Connection = std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, Destroy<jsCtx_Destroy>>;
using Subscription = std::unique_ptr<natsSubscription, Destroy<natsSubscription_Destroy>>;
using ConsumerInfo = std::unique_ptr<jsConsumerInfo, Destroy<jsConsumerInfo_Destroy>>;
using MetaData = std::unique_ptr<jsMsgMetaData, Destroy<jsMsgMetaData_Destroy>>;

/// Messages that came together.
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
