/// Batches that share slabs, as a busy session reads them.
#pragma once

#include "frame/slab_pool.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace meridian::test {

/// Reads batches of one frame and 4 KiB, one behind the other, into slabs that are known here.
class SlabReader {
 public:
  static constexpr std::size_t batch_bytes = 4096;
  static constexpr std::size_t of_each = frame::SlabPool::slab_bytes / batch_bytes;

  /// Those of one slab, one of them of a satellite of its own.
  std::vector<FrameBatch> read(SatelliteId one, SatelliteId others, std::size_t place_of_one = 0) {
    const std::shared_ptr<std::byte[]> slab = frame::SlabPool::of_process().take();
    slabs_.emplace_back(slab);
    std::vector<FrameBatch> batches;
    for (std::size_t i = 0; i < of_each; ++i) {
      const std::span<std::byte> octets(slab.get() + i * batch_bytes, batch_bytes);
      const FrameHeader fields = header(i == place_of_one ? one : others, 1, next_sequence_++);
      write_frame_header(fields, batch_bytes - frame_header_bytes,
                         octets.first<frame_header_bytes>());
      const Run run{
          .origin = fields.origin, .frames = 1, .first = fields.sequence, .bytes = batch_bytes};
      batches.emplace_back(
          SlabRange{.slab = slab, .slab_bytes = frame::SlabPool::slab_bytes, .octets = octets},
          FrameSummary{.frames = 1, .frame_bytes = batch_bytes, .runs = {run}}, ReadStamp{});
    }
    return batches;
  }

  /// A batch of `frames` frames of satellite 1 in a slab that nothing else refers to.
  FrameBatch read_one(std::uint32_t frames) {
    std::vector<FrameBatch> batches = read(1, 1);
    FrameBatch batch = std::move(batches.front());
    for (std::uint32_t i = 1; i < frames; ++i) {
      EXPECT_TRUE(batch.join(batches.at(i)));
    }
    return batch;
  }

  /// How many slabs are still referred to.
  [[nodiscard]] std::size_t in_use() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(slabs_, [](const auto& slab) { return !slab.expired(); }));
  }

 private:
  std::vector<std::weak_ptr<std::byte[]>> slabs_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace meridian::test
