/// Checks whether frames can be appended to a file.
#pragma once

#include "ctl/frames.hpp"
#include "runtime/output_file.hpp"

#include <string>

namespace meridian::ctl {

/// Throws std::runtime_error, with the file's name and what to do, if frames are to be appended to
/// a file that ends with a part of a line (ndjson) or of a frame (binary). A reader would take that
/// part and what follows it for one, and in binary it would never find the next frame. Nothing is
/// cut off here, since a part may be all that is left of a frame. Tables are for people, so
/// anything may precede one. Pipes and devices are not checked, either. For binary, reads the whole
/// file.
void require_whole_end(const std::string& path, runtime::WhenThere when_there, FrameFormat format);

}  // namespace meridian::ctl
