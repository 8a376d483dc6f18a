# Makes a C++ source of the files of the page.
# Usage: cmake -DOUTPUT=FILE -DDIRECTORY=DIRECTORY -DFILES=NAME,NAME -P EmbedPage.cmake
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")

set(entries "")
string(REPLACE "," ";" names "${FILES}")
foreach(name IN LISTS names)
  file(READ "${DIRECTORY}/${name}" text)
  string(REGEX REPLACE ".*\\." "" extension "${name}")
  set(path "/${name}")
  if(name STREQUAL "index.html")
    set(path "/")
  endif()
  string(APPEND entries
         "    {\"${path}\", \"${type_${extension}}\", R\"meridian(${text})meridian\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"http/page.hpp\"

namespace meridian::http {

namespace {

constexpr PageFile files[] = {
${entries}};

}  // namespace

const std::span<const PageFile> page_files(files);

}  // namespace meridian::http
")
