# Compiles through ccache if it is asked for and installed. The cache lies outside the checkout
# (ccache's own default, or $CCACHE_DIR), and paths are taken relative to the checkout, so a second
# clone reuses what the first compiled.
if(NOT MERIDIAN_CCACHE)
  return()
endif()
find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(CCACHE)
  # The last two settings are what precompiled headers need.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  # clang: leave the timestamp out of precompiled headers. GCC: show ccache which one is used.
  add_compile_options("$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>"
                      $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
