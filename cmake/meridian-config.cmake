# What programs that embed the libraries find with find_package(meridian): meridian::channel and
# meridian::aggregator.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Boost 1.81 CONFIG)
include(${CMAKE_CURRENT_LIST_DIR}/meridian-targets.cmake)
