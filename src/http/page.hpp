/// The files of the page, which are part of the program.
#pragma once

#include <span>
#include <string_view>

namespace meridian::http {

struct PageFile {
  std::string_view path;  ///< "/" is the page itself
  std::string_view type;  ///< of its content
  std::string_view text;
};

/// All files of the page. Made from src/http/page by cmake/EmbedPage.cmake.
extern const std::span<const PageFile> page_files;

/// Returns nullptr if there is no such file.
[[nodiscard]] const PageFile* find_page_file(std::string_view path);

}  // namespace meridian::http
