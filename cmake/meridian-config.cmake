# What programs that embed the libraries find with find_package(meridian): meridian::channel and
# meridian::aggregator.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Boost 1.81 CONFIG)
include(${CMAKE_CURRENT_LIST_DIR}/meridian-targets.cmake)
foreach(component IN LISTS meridian_FIND_COMPONENTS)
  if(TARGET meridian::${component})
    set(meridian_${component}_FOUND TRUE)
  elseif(meridian_FIND_REQUIRED_${component})
    set(meridian_FOUND FALSE)
    set(meridian_NOT_FOUND_MESSAGE "meridian has no component ${component}: there are channel and aggregator")
  endif()
endforeach()
