# The Debian package: `cpack` in a build directory of the preset `release`. It consists of the
# components `runtime` and `system`; library and headers are of the component `development`, and not
# in it.

# Man pages and completion go wherever the programs go.
find_program(GZIP gzip REQUIRED)
set(pages meridiand.8 meridianctl.1 meridian-sim.1 meridiand.json.5)
foreach(page IN LISTS pages)
  set(compressed ${PROJECT_BINARY_DIR}/man/${page}.gz)
  add_custom_command(OUTPUT ${compressed}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
    COMMAND ${GZIP} -9nc ${PROJECT_SOURCE_DIR}/docs/man/${page} > ${compressed}
    DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/${page} VERBATIM)
  list(APPEND compressed_pages ${compressed})
  string(REGEX MATCH "[0-9]$" section ${page})
  install(FILES ${compressed} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT runtime)
endforeach()

# bash looks for a file with the name of the program.
set(completions ${PROJECT_BINARY_DIR}/completions)
file(MAKE_DIRECTORY ${completions})
foreach(program meridiand meridian-sim)
  file(CREATE_LINK meridianctl ${completions}/${program} SYMBOLIC)
endforeach()
set(completions_destination ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES completions/meridian.bash DESTINATION ${completions_destination} RENAME meridianctl
        COMPONENT runtime)
install(FILES ${completions}/meridiand ${completions}/meridian-sim
        DESTINATION ${completions_destination} COMPONENT runtime)

add_custom_target(man_pages ALL DEPENDS ${compressed_pages})

if(NOT MERIDIAN_WITH_SYSTEMD)
  message(STATUS "No Debian package: its units need a daemon with systemd (MERIDIAN_WITH_SYSTEMD)")
  return()
endif()

# What has one place in the system, wherever the programs are: only in the package, since
# `cmake --install` may be for another prefix, and without the rights.
install(FILES systemd/meridiand.service systemd/meridiand-uplink.socket
              systemd/meridiand-control.socket
        DESTINATION /lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES systemd/meridian.sysusers DESTINATION /usr/lib/sysusers.d RENAME meridian.conf
        COMPONENT system EXCLUDE_FROM_ALL)
install(FILES config/meridiand.json DESTINATION /etc/meridian COMPONENT system EXCLUDE_FROM_ALL)

# What Debian wants of a package. The changelog says its release.
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${debian}/changelog)
file(STRINGS ${debian}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^meridian \\(${PROJECT_VERSION}-([^)]+)\\)")
  message(FATAL_ERROR "packaging/debian/changelog does not begin with ${PROJECT_VERSION}: ${newest}")
endif()
set(CPACK_DEBIAN_PACKAGE_RELEASE ${CMAKE_MATCH_1})
set(changelog ${PROJECT_BINARY_DIR}/changelog.Debian.gz)
add_custom_command(OUTPUT ${changelog}
  COMMAND ${GZIP} -9nc ${debian}/changelog > ${changelog}
  DEPENDS ${debian}/changelog VERBATIM)
install(FILES ${changelog} ${debian}/copyright DESTINATION /usr/share/doc/meridian
        COMPONENT system EXCLUDE_FROM_ALL)
install(FILES packaging/debian/lintian-overrides DESTINATION /usr/share/lintian/overrides
        RENAME meridian COMPONENT system EXCLUDE_FROM_ALL)
add_custom_target(packaging ALL DEPENDS ${changelog})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME meridian)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Meridian maintainers <maintainers@meridian.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Whatever the umask of whoever builds.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL runtime system)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
# Below the summary, which is the project's.
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Meridian takes frames of satellite telemetry from many uplink sessions
over TCP, holds them in a bounded buffer, and gives them to downstream
tools over a control socket. Every frame is accounted for, and a restart
loses none that was accepted.
.
This package has the daemon as a system service, the tool that asks it
(meridianctl), and a simulator of uplinks (meridian-sim).")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For the service's user.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm
    ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
