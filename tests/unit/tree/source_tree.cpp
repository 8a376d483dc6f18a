#include "unit/tree/source_tree.hpp"

#include "places.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace meridian::test {

std::vector<std::filesystem::path> files_below(std::initializer_list<std::string_view> directories,
                                               std::initializer_list<std::string_view> extensions) {
  std::vector<std::filesystem::path> files;
  for (const std::string_view directory : directories) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(source_dir() / directory)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() &&
          std::ranges::count(extensions, std::string_view(extension)) != 0) {
        files.push_back(entry.path());
      }
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string name_in_tree(const std::filesystem::path& file) {
  return std::filesystem::relative(file, source_dir()).string();
}

std::vector<std::string> lines_of_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) {
    throw std::runtime_error("cannot read " + file.string());
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> includes_of(const std::filesystem::path& file) {
  std::vector<std::string> found;
  for (const std::string& line : lines_of_file(file)) {
    if (line.starts_with("#include ")) {
      const std::size_t begin = line.find_first_of("\"<") + 1;
      found.push_back(line.substr(begin, line.find_first_of("\">", begin) - begin));
    }
  }
  return found;
}

}  // namespace meridian::test
