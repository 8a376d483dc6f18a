// clang-format off
/// The format of a saved state.
///
/// The file is a sequence of records in the native framing of meridian/frame.hpp, so that any
/// program that reads length-prefixed frames can split it. There are two kinds of records:
///
///     frame   the octets that came from an uplink, unchanged
///     mark    flags 0x8000, which no uplink may send; satellite_id "MRD1"; channel_id is its kind.
///             The upper half of the sequence is a random number, the same in all marks of a file,
///             so that no payload passes for a mark. The reader takes it from the mark at the
///             start of the file; if that is damaged, from the one at the end; if that is damaged,
///             too, from the first mark that it finds. The lower half counts the marks from 0 up.
///             The payload is the CRC-32C of header and body, then the body.
///
///     file    = version ledger? origins* forgotten? (places consumer*)? block* end
///     block   = mark(block) frame+
///
/// Bodies, all integers big-endian, times in microseconds since 1970:
///
///     version format u16, octets u16, the program that wrote it
///             (files of format 1 have no such mark)
///     ledger  received u64, buffered u64, drained u64, flushed u64,
///             reasons u16, for each in the order of DropReason: dropped u64,
///             delivered u64 (missing in older files, where it is 0)
///     origins count u32, for each: kind u8 (1 origin, 0 sum over those beyond max_tracked; plus 2
///             if counts follow, plus 4 if stored frames follow),
///             satellite_id u32, channel_id u16, frames u64, bytes u64, has_last u8,
///             last_sequence u64, gaps u64, missing u64, duplicates u64, late u64, dropped u64,
///             last_seen_at i64
///             counts: jumps u64, resets u64, unsettled frames: next u64, late u64, jumps u64
///             stored: frames u64, last_seen_at i64, has_last u8, last_sequence u64, gaps u64,
///             missing u64, duplicates u64, late u64, counts
///     forgotten  as origins, with one row: the sum over origins that are no longer there
///     places  epoch u64, next place u64
///     consumer  name octets u16, name, next place u64, part u16 (from 0 up), parts u16,
///             ranges u32 (what is unread before the next place),
///             for each: first place u64, frames u64
///             attempts u32, for each: satellite_id u32, channel_id u16, frames u64,
///             ranges u32, for each: first place u64, frames u64;
///             for each attempt: epoch u64 (missing in older files: that of places)
///     block   sequence width u8 (14 or 64; plus 128 if these frames were leased, so that a client
///             may have had them; plus 32 if a place follows), reads u32, frames u32,
///             place of the first frame u64 (if it follows),
///             for each read: first frame u32 (its index), received_at i64
///             for each frame: octets u32, CRC-32C u32
///     end     frames u64, in all blocks
///
/// A position that is too large for one mark is divided among several, each with some of its ranges
/// and attempts. It counts only if all of them are there.
///
/// A reader refuses a whole file if its format is newer than the reader's: marks that the reader
/// does not know could mean anything, and to skip them could silently lose frames. What follows the
/// number of the format in its mark may change with the format.
///
/// A damaged frame loses only itself: the table in front of the block tells where the others are. A
/// damaged mark loses its block: the reader searches for the next mark.
// clang-format on
#pragma once

#include <meridian/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace meridian::state {

enum class MarkKind : std::uint16_t {
  ledger = 1,
  origins = 2,
  block = 3,
  end = 4,
  places = 5,
  consumer = 6,
  version = 7,
  forgotten = 8
};

/// The format that this program writes. A change that older readers would misread, or whose data
/// they would lose, must raise this number. Format 2 added the marks `version` and `forgotten`,
/// counts and stored frames of origins, and the epoch of each attempt.
inline constexpr std::uint16_t format_version = 2;

inline constexpr SatelliteId mark_magic = 0x4D524431;  // "MRD1"
inline constexpr std::uint16_t mark_flags = 0x8000;

/// Octets in front of the body: the native header and the checksum.
inline constexpr std::size_t mark_head_bytes = frame_header_bytes + sizeof(std::uint32_t);

/// Octets of the mark at the end.
inline constexpr std::size_t end_mark_bytes = mark_head_bytes + sizeof(std::uint64_t);

/// The most octets of a whole mark. So a damaged length cannot make a reader read more.
inline constexpr std::size_t max_mark_bytes = 1024 * 1024;

/// The most octets of frames that share a mark, unless a single frame is larger. So a damaged mark
/// does not lose more.
inline constexpr std::size_t block_bytes = 256 * 1024;

/// The most rows of an `origins` mark.
inline constexpr std::size_t origins_per_mark = 4096;

/// Encodes a whole mark, as it is in the file.
[[nodiscard]] std::vector<std::byte> encode_mark(MarkKind kind, std::uint64_t sequence,
                                                 std::span<const std::byte> body);

/// The size of the mark whose header is at the start of `octets`; 0 if no such header is there.
[[nodiscard]] std::size_t mark_bytes(std::span<const std::byte> octets) noexcept;

/// A mark whose checksum is right.
struct Mark {
  MarkKind kind{};
  std::uint64_t sequence = 0;
  std::span<const std::byte> body;  ///< refers to the octets that were given
};

/// Reads a whole mark; nothing if it is damaged.
[[nodiscard]] std::optional<Mark> read_mark(std::span<const std::byte> octets) noexcept;

}  // namespace meridian::state
