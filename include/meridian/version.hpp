/// Which Meridian library this is, and what of it is stable.
///
/// Stable: what headers directly in `meridian/` declare, outside of namespaces `detail`, keeps its
/// meaning within a minor version (0.1.x): a program that compiles goes on to compile and to do the
/// same. What is in `detail` may change at any time.
///
/// Binary layout: everything is in an inline namespace, `meridian::v1`, which nobody has to write.
/// Its number rises with every change of a layout or of a signature, so that objects that were
/// compiled against different headers do not link.
#pragma once

/// As for example 0'01'00 for 0.1.0, for the preprocessor.
#define MERIDIAN_VERSION 100

namespace meridian::inline v1 {

inline constexpr int version_major = MERIDIAN_VERSION / 10'000;
inline constexpr int version_minor = MERIDIAN_VERSION / 100 % 100;
inline constexpr int version_patch = MERIDIAN_VERSION % 100;

}  // namespace meridian::inline v1
