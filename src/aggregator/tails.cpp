#include "aggregator/tails.hpp"

#include <algorithm>
#include <utility>

namespace meridian::inline v2::aggregator {

/// A watcher.
struct Tails::Watcher {
  Key key;
  Group* group;
  std::size_t max_bytes;
  std::vector<FrameBatch> queue{};
  std::size_t bytes = 0;  // of memory that the queue keeps
  std::optional<OneshotSender<TailPiece>> waiting{};
  std::optional<std::uint64_t> full_since{};  // the group's count of frames at that moment

  [[nodiscard]] std::uint64_t lost() const noexcept;

  /// Replies with everything that waits, and with how much was lost after it. False if the receiver
  /// of the reply is gone: then everything goes on waiting.
  bool give(OneshotSender<TailPiece> reply) {
    auto undelivered = std::move(reply).send({.batches = std::exchange(queue, {}), .lost = lost()});
    if (undelivered) {
      queue = std::move(undelivered->batches);
      return false;
    }
    bytes = 0;
    full_since.reset();
    return true;
  }
};

/// All watchers that ask for the same.
struct Tails::Group {
  std::uint64_t frames = 0;        // how many have arrived
  std::vector<Watcher*> hungry{};  // those that get the next batch
  std::size_t watchers = 0;
  bool touched = false;
};

std::uint64_t Tails::Watcher::lost() const noexcept {
  return full_since ? group->frames - *full_since : 0;
}

Tails::Tails() = default;
Tails::~Tails() = default;

Tails::Key Tails::key_of(std::optional<SatelliteId> satellite_id,
                         std::optional<ChannelId> channel_id) noexcept {
  constexpr Key any_satellite = Key{1} << 32;
  constexpr Key any_channel = Key{1} << 16;
  constexpr unsigned channel_bits = 17;
  return ((satellite_id ? Key{*satellite_id} : any_satellite) << channel_bits) |
         (channel_id ? Key{*channel_id} : any_channel);
}

Tails::Id Tails::add(const TailQuery& query) {
  const Key key = key_of(query.satellite_id, query.channel_id);
  auto& group = groups_[key];
  if (!group) {
    group = std::make_unique<Group>();
  }
  auto watcher = std::make_unique<Watcher>(
      Watcher{.key = key, .group = group.get(), .max_bytes = query.max_bytes});
  group->hungry.push_back(watcher.get());
  ++group->watchers;
  watchers_.emplace(++last_id_, std::move(watcher));
  return last_id_;
}

void Tails::remove(Id id) {
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) {
    return;
  }
  const auto watcher = std::move(found->second);
  watchers_.erase(found);
  lost_ += watcher->lost();
  Group& group = *watcher->group;
  std::erase(group.hungry, watcher.get());
  if (--group.watchers == 0) {
    groups_.erase(watcher->key);
  }
}

void Tails::next(Id id, OneshotSender<TailPiece> reply) {
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) {
    return;
  }
  Watcher& watcher = *found->second;
  if (watcher.queue.empty()) {
    watcher.waiting = std::move(reply);
    return;
  }
  const std::uint64_t lost = watcher.lost();
  const bool was_full = watcher.full_since.has_value();
  if (watcher.give(std::move(reply)) && was_full) {
    lost_ += lost;
    watcher.group->hungry.push_back(&watcher);
  }
}

void Tails::offer_to_watchers(const FrameBatch& batch) {
  const bool is_all_watched = note_frames(key_of(std::nullopt, std::nullopt), batch.frames());
  const bool are_origins_watched = groups_.size() > (is_all_watched ? 1U : 0U);
  if (are_origins_watched) {
    batch.for_each_run([this](const Run& run) {
      const auto [satellite_id, channel_id] = run.origin;
      note_frames(key_of(satellite_id, channel_id), run.frames);
      note_frames(key_of(satellite_id, std::nullopt), run.frames);
      note_frames(key_of(std::nullopt, channel_id), run.frames);
    });
  }
  for (Group* const group : touched_) {
    give_to(*group, batch);
    group->touched = false;
  }
  touched_.clear();
}

bool Tails::note_frames(Key key, std::uint32_t frames) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) {
    return false;
  }
  Group& group = *found->second;
  group.frames += frames;
  if (!std::exchange(group.touched, true)) {
    touched_.push_back(&group);
  }
  return true;
}

void Tails::give_to(Group& group, const FrameBatch& batch) {
  std::erase_if(group.hungry, [&](Watcher* watcher) {
    watcher->queue.push_back(batch.share());
    watcher->bytes += sizeof(FrameBatch) + batch.footprint();
    const bool given =
        watcher->waiting && watcher->give(*std::exchange(watcher->waiting, std::nullopt));
    if (!given && watcher->bytes >= watcher->max_bytes) {
      watcher->full_since = group.frames;
    }
    return watcher->full_since.has_value();
  });
}

TailCounts Tails::counts() const {
  TailCounts counts{.watchers = watchers_.size(), .lost = lost_};
  for (const auto& [id, watcher] : watchers_) {
    counts.lost += watcher->lost();
  }
  return counts;
}

}  // namespace meridian::inline v2::aggregator
