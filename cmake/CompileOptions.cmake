# Flags for our own targets: warnings, sanitizers, hardening.

# Sanitizers must cover everything that is linked together, so they apply to the whole directory.
if(MERIDIAN_SANITIZE)
  add_compile_options(-fsanitize=${MERIDIAN_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MERIDIAN_SANITIZE})
  # With the checks in between, GCC 12 sees empty optionals being read where none are.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # Recycled coroutine frames would hide a use after free.
  add_compile_definitions(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
  if(MERIDIAN_SANITIZE MATCHES "thread")
    # The thread sanitizer does not know fences, which Asio has in these places.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK BOOST_ASIO_DISABLE_STD_ATOMIC)
  endif()
endif()

# Names of source files in messages begin at the top of the checkout. So what is built does not depend
# on where the checkout is, and the compiler cache of one serves another.
add_compile_options(-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

if(MERIDIAN_HARDENING)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  # Only compilers for x86 accept it.
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-fcf-protection MERIDIAN_HAS_CF_PROTECTION)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection
                      $<$<BOOL:${MERIDIAN_HAS_CF_PROTECTION}>:-fcf-protection>
                      $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-Wl,-z,relro,-z,now $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()

function(meridian_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -Wsuggest-override
    # Asio allocates a coroutine's frame with aligned_alloc in its operator new, and frees it in its operator delete:
    # where GCC 12 inlines only one of the two it takes them for a mismatch.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>
    # In a unity build, names of one file shadow those of another, and GCC warns about types in unnamed
    # namespaces.
    $<$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>:-Wno-shadow>
    $<$<AND:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>
    $<$<BOOL:${MERIDIAN_WARNINGS_AS_ERRORS}>:-Werror>)
endfunction()
