# Compiles through ccache where that is asked for and installed. Its directory is outside of the
# checkout (ccache's own default, or $CCACHE_DIR), and paths below the checkout count from there: so
# a second clone finds what the first one has compiled.
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
  # Else a precompiled header is told by the time at which it was made.
  add_compile_options("$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>"
                      $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
