/// Sequences whose frames are gone, and whose turn has not come.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace meridian::inline v1 {

/// A session that gives up a batch says so over the control lane, where it overtakes what the
/// session sent before. Sequences are judged in the order of arrival: so the runs of such a batch
/// wait here until the batches before it have left the channel.
///
/// Bounded: `add` says no where too much waits. Runs of an origin that follow each other in one
/// read or the next are one.
class GivenUp {
 public:
  struct Piece {
    std::uint64_t read;  ///< of the session, the last one that is in it
    SequenceWidth width;
    Run run;
  };

  static constexpr std::size_t max_pieces = 65'536;

  [[nodiscard]] bool empty() const noexcept { return pieces_ == 0; }

  /// False where there is no room: then the run must be judged now.
  [[nodiscard]] bool add(const Run& run, const ReadStamp& stamp);

  /// What was given up before the read of `next`, in its order; `only` that of one satellite if it
  /// comes before the others.
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

}  // namespace meridian::inline v1
