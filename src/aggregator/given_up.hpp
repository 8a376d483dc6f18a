/// Sequences of frames that sessions gave up, kept until it is their turn to be judged.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace meridian::inline v2::aggregator {

/// A session that gives up a batch says so over the control lane, and so overtakes batches that it
/// sent earlier. Sequences are judged in the order of arrival. So the runs of such a batch wait
/// here until the earlier batches have left the channel.
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

  /// Takes what the session of `next` gave up before that read, in the session's order. With
  /// `only`, takes just the runs of one satellite, whose frames come ahead of others.
  [[nodiscard]] std::vector<Piece> take_before(const ReadStamp& next,
                                               std::optional<SatelliteId> only = std::nullopt);

  /// Takes everything of a session, in the session's order.
  [[nodiscard]] std::vector<Piece> take_session(SessionId session);

  /// Takes everything, in order within each session.
  [[nodiscard]] std::vector<Piece> take_all();

 private:
  std::unordered_map<SessionId, std::vector<Piece>> by_session_;
  std::size_t pieces_ = 0;
};

}  // namespace meridian::inline v2::aggregator
