#include "control/access_list.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <endian.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace meridian::control {

namespace {

constexpr const char* acl_attribute = "system.posix_acl_access";

/// The layout of the attribute (linux/posix_acl_xattr.h), little-endian.
namespace acl {

constexpr std::uint32_t version = 2;
constexpr std::uint32_t nobody_in_particular = 0xFFFFFFFF;
constexpr mode_t read_and_write = 6;

enum class Tag : std::uint16_t {
  owner = 0x01,
  owning_group = 0x04,
  group = 0x08,
  mask = 0x10,
  others = 0x20
};

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
  return {.tag = htole16(static_cast<std::uint16_t>(tag)),
          .permissions = htole16(static_cast<std::uint16_t>(permissions & 7U)),
          .id = htole32(id)};
}

}  // namespace acl

}  // namespace

bool set_second_group(const std::string& path, mode_t mode, std::optional<gid_t> group) {
  if (!group) {
    const bool removed = ::removexattr(path.c_str(), acl_attribute) == 0;
    return (removed || errno == ENODATA || errno == ENOTSUP) && ::chmod(path.c_str(), mode) == 0;
  }
  using acl::Tag;
  const acl::List list{
      .version = htole32(acl::version),
      .entries = {acl::entry(Tag::owner, mode >> 6U), acl::entry(Tag::owning_group, mode >> 3U),
                  acl::entry(Tag::group, acl::read_and_write, *group),
                  acl::entry(Tag::mask, acl::read_and_write), acl::entry(Tag::others, mode)}};
  return ::setxattr(path.c_str(), acl_attribute, &list, sizeof list, 0) == 0;
}

std::optional<std::string> access_list_of(const std::string& path) {
  const ssize_t size = ::getxattr(path.c_str(), acl_attribute, nullptr, 0);
  if (size <= 0) {
    return std::nullopt;
  }
  std::string list(static_cast<std::size_t>(size), '\0');
  return ::getxattr(path.c_str(), acl_attribute, list.data(), list.size()) == size
             ? std::optional(std::move(list))
             : std::nullopt;
}

bool set_access_list(const std::string& path, const std::string& list) {
  return ::setxattr(path.c_str(), acl_attribute, list.data(), list.size(), 0) == 0;
}

}  // namespace meridian::control
