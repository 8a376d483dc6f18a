#include "control/access_list.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <endian.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace meridian::control {

namespace {

constexpr const char* attribute = "system.posix_acl_access";

// The layout of the attribute (linux/posix_acl_xattr.h), little-endian.
constexpr std::uint32_t version = 2;
constexpr std::uint32_t nobody_in_particular = 0xFFFFFFFF;
constexpr std::uint16_t read_and_write = 6;

enum Tag : std::uint16_t { owner = 1, owning_group = 4, named_group = 8, mask = 16, others = 32 };

struct Entry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id;
};
struct List {
  std::uint32_t version;
  std::array<Entry, 5> entries;
};
static_assert(sizeof(List) == 4 + 5 * 8);

Entry entry(Tag tag, mode_t permissions, std::uint32_t id = nobody_in_particular) {
  return {.tag = htole16(tag),
          .permissions = htole16(static_cast<std::uint16_t>(permissions & 7U)),
          .id = htole32(id)};
}

}  // namespace

bool set_second_group(const std::string& path, mode_t mode, std::optional<gid_t> group) {
  if (!group) {
    const bool removed = ::removexattr(path.c_str(), attribute) == 0;
    return (removed || errno == ENODATA || errno == ENOTSUP) && ::chmod(path.c_str(), mode) == 0;
  }
  const List list{.version = htole32(version),
                  .entries = {entry(owner, mode >> 6U), entry(owning_group, mode >> 3U),
                              entry(named_group, read_and_write, *group),
                              entry(mask, read_and_write), entry(others, mode)}};
  return ::setxattr(path.c_str(), attribute, &list, sizeof list, 0) == 0;
}

}  // namespace meridian::control
