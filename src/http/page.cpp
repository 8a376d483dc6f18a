#include "http/page.hpp"

#include <algorithm>

namespace meridian::http {

const PageFile* find_page_file(std::string_view path) {
  const auto found = std::ranges::find(page_files, path, &PageFile::path);
  return found == page_files.end() ? nullptr : &*found;
}

}  // namespace meridian::http
