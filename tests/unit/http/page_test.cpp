// Where the page points to. What it shows is tested in a browser: see tests/page/.
#include "http/page.hpp"

#include "http/resource.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <string_view>

namespace meridian::test {

using namespace http;

namespace {

TEST(PageFiles, HaveRelativeAddressesAlone) {
  // Behind a proxy the page may be under a path, where "/metrics" is somebody else's.
  static const std::regex from_the_top(R"re((href|src)="/|url\(["']?/|\(["'`]/|from "/)re");
  for (const PageFile& file : page_files) {
    const std::string text(file.text);
    std::smatch found;
    EXPECT_FALSE(std::regex_search(text, found, from_the_top)) << file.path << ": " << found.str();
  }
}

TEST(PageFiles, PointToWhatThereIs) {
  static const std::regex address(R"re((?:href|src)="([^"#]+)")re");
  const std::string page(find_page_file("/")->text);
  int addresses = 0;
  for (std::sregex_iterator each(page.begin(), page.end(), address), end; each != end; ++each) {
    const std::string path = "/" + (*each)[1].str();
    EXPECT_TRUE(resource_at(path) || find_page_file(path) != nullptr) << path;
    ++addresses;
  }
  EXPECT_GT(addresses, 8);
}

}  // namespace
}  // namespace meridian::test
