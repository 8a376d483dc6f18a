#include "status/uplink_table.hpp"

#include <algorithm>
#include <utility>

namespace meridian::status {

void UplinkTable::set_listener(ListenerInfo listener) {
  const std::lock_guard lock(mutex_);
  const auto place = std::ranges::find(listeners_, listener.name, &ListenerInfo::name);
  if (place != listeners_.end()) {
    *place = std::move(listener);
  } else {
    listeners_.push_back(std::move(listener));
  }
}

void UplinkTable::remove_listener(std::string_view name) {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [name](const ListenerInfo& listener) { return listener.name == name; });
  implausible_.erase(std::string(name));
}

std::shared_ptr<UplinkRecord> UplinkTable::open(std::string listener, std::string peer,
                                                ReceiveTime now) {
  const std::lock_guard lock(mutex_);
  const SessionId id = ++counts_.accepted;
  auto record = std::make_shared<UplinkRecord>(id, std::move(listener), std::move(peer), now);
  open_.emplace(id, record);
  return record;
}

void UplinkTable::close(const std::shared_ptr<UplinkRecord>& record, CloseReason reason,
                        ReceiveTime now) {
  const std::lock_guard lock(mutex_);
  open_.erase(record->id());
  ++counts_.closed.at(static_cast<std::size_t>(reason));
  closed_.push_front({record, now, reason});
  if (closed_.size() > max_closed) {
    closed_.pop_back();
  }
}

void UplinkTable::count_malformed(Malformed reason) {
  const std::lock_guard lock(mutex_);
  ++counts_.malformed.at(static_cast<std::size_t>(reason));
}

void UplinkTable::count_truncated() {
  const std::lock_guard lock(mutex_);
  ++counts_.truncated;
}

bool UplinkTable::count_implausible(const std::string& listener) {
  const std::lock_guard lock(mutex_);
  ++counts_.implausible;
  return implausible_.insert(listener).second;
}

UplinkTable::Snapshot UplinkTable::snapshot() const {
  Snapshot snapshot;
  {
    const std::lock_guard lock(mutex_);
    snapshot.listeners = listeners_;
    snapshot.closed.assign(closed_.begin(), closed_.end());
    snapshot.open.reserve(open_.size());
    for (const auto& [id, record] : open_) {
      snapshot.open.push_back(record);
    }
  }
  std::ranges::sort(snapshot.open, {}, [](const auto& record) { return record->id(); });
  return snapshot;
}

SessionCounts UplinkTable::counts() const {
  const std::lock_guard lock(mutex_);
  SessionCounts counts = counts_;
  counts.open = open_.size();
  counts.idle_packets = idle_packets_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace meridian::status
