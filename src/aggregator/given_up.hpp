/// Sequences whose frames are gone, and whose turn to be judged has not come.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace meridian::inline v2::aggregator {

/// A session that gives up a batch says so over the control lane, where it overtakes what the
/// session sent before. Sequences are judged in the order of arrival, so the runs of such a batch
/// wait here until the batches before it have left the channel.
///
/// Bounded: `add` refuses a run if too much waits. A run that continues the last one of its
/// session, in the same read or the next, becomes part of it.
class GivenUp {
 public:
  struct Piece {
    std::uint64_t read;  ///< the last read of the session that is in it
    SequenceWidth width;
    Run run;
  };

  static constexpr std::size_t max_pieces = 65'536;

  [[nodiscard]] bool empty() const noexcept { return pieces_ == 0; }

  /// False if there is no room: the run must then be judged now.
  [[nodiscard]] bool add(const Run& run, const ReadStamp& stamp);

  /// What the session gave up before the read of `next`, in its order. With `only`, that of one
  /// satellite, whose frames come ahead of others.
  [[nodiscard]] std::vector<Piece> take_before(const ReadStamp& next,
                                               std::optional<SatelliteId> only = std::nullopt);

  /// Everything of a session, in its order.
  [[nodiscard]] std::vector<Piece> take_session(SessionId session);

  /// Everything, in order within each session.
  [[nodiscard]] std::vector<Piece> take_all();

 private:
  std::unordered_map<SessionId, std::vector<Piece>> by_session_;
  std::size_t pieces_ = 0;
};

}  // namespace meridian::inline v2::aggregator
