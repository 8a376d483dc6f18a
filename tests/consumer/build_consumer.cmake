# Installs the libraries, builds and runs a program that uses one of them from there, and checks that
# it takes nothing with it but Boost's headers and the standard library.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  message("${output}")
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ended with ${status}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --component development --prefix ${WORK_DIR}/prefix)
# Packages that the libraries do not name are hidden: whoever looks for one fails.
set(hidden "")
foreach(package fmt spdlog nlohmann_json OpenSSL CLI11 PkgConfig)
  list(APPEND hidden -DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
endforeach()
run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/build ${hidden} -G Ninja
    -DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix -DCMAKE_CXX_COMPILER=${COMPILER})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)

run(ninja -C ${WORK_DIR}/build -t deps)
string(REGEX MATCHALL "/[^ \n]+\\.(h|hpp|ipp)" headers "${output}")
foreach(header IN LISTS headers)
  if(header MATCHES "^/usr/include/(fmt|spdlog|nlohmann|openssl|nats|prometheus|systemd|isa-l|CLI|curses)")
    message(FATAL_ERROR "includes ${header}")
  endif()
endforeach()

run(ldd ${WORK_DIR}/build/consumer)
string(REGEX MATCHALL "lib[^ /]+\\.so" libraries "${output}")
foreach(library IN LISTS libraries)
  if(NOT library MATCHES "^lib(stdc\\+\\+|m|gcc_s|c|pthread)\\.so$")
    message(FATAL_ERROR "links ${library}")
  endif()
endforeach()

run(${WORK_DIR}/build/consumer)
file(STRINGS ${SOURCE_DIR}/expected.txt expected)
if(NOT output STREQUAL "${expected}\n")
  message(FATAL_ERROR "printed something else")
endif()
