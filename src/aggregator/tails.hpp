/// The watchers of frames as they arrive.
#pragma once

#include "frame/keyed_hash.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/oneshot.hpp>
#include <meridian/tail.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Hands each batch to the watchers whose frames are in it. A watcher that is full leaves the list
/// of those that get batches. What it loses from then on is the difference between two values of a
/// counter. So a batch costs the same, however many watchers do not read.
///
/// Not thread-safe: owned by the aggregator.
class Tails {
 public:
  using Id = std::uint64_t;

  Tails();
  ~Tails();
  Tails(const Tails&) = delete;
  Tails& operator=(const Tails&) = delete;

  [[nodiscard]] Id add(const TailQuery& query);

  /// Ends a watch. A watcher that waits gets no reply.
  void remove(Id id);

  /// Replies with what has arrived, at once or as soon as something arrives. Replaces a reply that
  /// waits, whose receiver may have been cancelled. If there is no such watcher, the reply is
  /// dropped.
  void next(Id id, OneshotSender<TailPiece> reply);

  /// A batch has arrived.
  void offer(const FrameBatch& batch) {
    if (!watchers_.empty()) {
      offer_to_watchers(batch);
    }
  }

  [[nodiscard]] TailCounts counts() const;

 private:
  struct Watcher;
  struct Group;
  using Key = std::uint64_t;  // of a group: what its watchers ask for

  [[nodiscard]] static Key key_of(std::optional<SatelliteId> satellite_id,
                                  std::optional<ChannelId> channel_id) noexcept;
  void offer_to_watchers(const FrameBatch& batch);
  /// False if no watcher asks for this.
  bool note_frames(Key key, std::uint32_t frames);
  void give_to(Group& group, const FrameBatch& batch);

  frame::KeyedMap<Key, std::unique_ptr<Group>> groups_;
  std::unordered_map<Id, std::unique_ptr<Watcher>> watchers_;  // our own ids need no keyed hash
  std::vector<Group*> touched_;                                // by the batch that is being offered
  Id last_id_ = 0;
  std::uint64_t lost_ = 0;  // frames whose watcher was told, or has ended
};

}  // namespace meridian::inline v2::aggregator
