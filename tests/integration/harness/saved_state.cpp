#include "integration/harness/saved_state.hpp"

#include <algorithm>
#include <stdexcept>

namespace meridian::test {

namespace {

constexpr std::uint64_t mark_flags = 0x8000;

SavedRecord::Kind kind_of(std::string_view record) {
  if (read_big(record, 10, 2) != mark_flags) {
    return SavedRecord::Kind::frame;
  }
  const std::uint64_t channel = read_big(record, 8, 2);
  if (channel < 1 || channel > 8) {
    throw std::runtime_error("a mark of an unknown kind");
  }
  return static_cast<SavedRecord::Kind>(channel);
}

}  // namespace

std::vector<SavedRecord> records_of(std::string_view file) {
  std::vector<SavedRecord> records;
  std::size_t at = 0;
  for_each_native(file, [&](std::uint32_t, std::uint64_t, std::size_t payload_bytes) {
    const std::size_t end = at + native_header_bytes + payload_bytes;
    records.push_back({.kind = kind_of(file.substr(at)), .begin = at, .end = end});
    at = end;
  });
  return records;
}

Remains remains_of(std::string_view whole, std::string_view damaged) {
  Remains remains;
  bool block_is_known = false;
  for (const SavedRecord& record : records_of(whole)) {
    if (record.begin >= damaged.size()) {
      break;
    }
    const std::string_view octets = damaged.substr(record.begin, record.end - record.begin);
    const bool intact = octets == whole.substr(record.begin, record.end - record.begin);
    const bool is_frame = record.kind == SavedRecord::Kind::frame;
    if (!is_frame) {
      block_is_known = intact;
    }
    if (!intact || (is_frame && !block_is_known)) {
      remains.lost += octets;
    } else if (is_frame) {
      remains.frames.push_back(decode_native(octets).front());
    } else {
      remains.has_ledger |= record.kind == SavedRecord::Kind::ledger;
    }
  }
  return remains;
}

Daemon& StateTest::start(const Json& changes, const Surroundings& surroundings) {
  Json all = changes;
  all["state"]["directory"] = state();
  return DaemonTest::start(all, surroundings);
}

Daemon& StateTest::restart(const Json& changes, const Surroundings& surroundings) {
  stop();
  return start(changes, surroundings);
}

std::vector<std::string> StateTest::files() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(state())) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

void StateTest::leave(std::string_view octets) const {
  std::filesystem::create_directories(state());
  std::ignore = directory().write("state/buffer.saved", octets);
}

std::vector<Json> StateTest::drain_as_json() {
  return daemon()
      .call("drain", {{"max_frames", 1'000'000'000}})
      .at("frames")
      .get<std::vector<Json>>();
}

}  // namespace meridian::test
