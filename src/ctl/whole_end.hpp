/// Checks whether frames can be appended to a file.
#pragma once

#include "ctl/frames.hpp"
#include "runtime/output_file.hpp"

#include <string>

namespace meridian::ctl {

/// Refuses to append frames to a file that ends in the middle of a line (ndjson) or of a frame
/// (binary): throws std::runtime_error, with the file's name and what to do. A reader would join
/// the incomplete part to what follows it, and in binary it would never find the next frame. The
/// part is not cut off here, since it may be all that is left of a frame.
///
/// Does not check tables: they are for people, so anything may precede one. Does not check pipes
/// and devices, either. For binary, reads the whole file.
void require_whole_end(const std::string& path, runtime::WhenThere when_there, FrameFormat format);

}  // namespace meridian::ctl
