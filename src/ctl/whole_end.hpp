/// Whether something can be appended to a file of frames.
#pragma once

#include "ctl/frames.hpp"
#include "runtime/output_file.hpp"

#include <string>

namespace meridian::ctl {

/// Throws std::runtime_error, with the file's name and what to do, where what is appended to a file
/// would stand behind a part of a line (ndjson) or of a frame (binary): a reader would take both
/// for one, and in binary lose its way for good. Nothing is cut here, since a part may be all that
/// there is of a frame. Tables are for people, and anything may stand before one; and so it may in
/// pipes and devices. In binary reads the whole file.
void require_whole_end(const std::string& path, runtime::WhenThere when_there, FrameFormat format);

}  // namespace meridian::ctl
