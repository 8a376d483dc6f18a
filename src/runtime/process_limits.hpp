/// Limits of the process.
#pragma once

namespace meridian::runtime {

/// Raises the number of open files to what the system allows this process.
void raise_open_files_limit();

}  // namespace meridian::runtime
