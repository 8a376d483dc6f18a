/// Which Meridian library this is, and what of it is stable.
///
/// Stable: a declaration in a header directly in `meridian/`, outside of namespace `detail`, keeps
/// its meaning within a minor version. A program that compiles against 0.2.x compiles against every
/// later 0.2.x and behaves the same. What is in `detail` may change at any time.
///
/// Binary layout: everything is in an inline namespace, `meridian::v2`, which programs need not
/// name. The number changes with every change of a layout or a signature, so that objects compiled
/// against different headers do not link.
#pragma once

/// major × 10000 + minor × 100 + patch, so 200 is 0.2.0. For `#if`.
#define MERIDIAN_VERSION 200

namespace meridian::inline v2 {

inline constexpr int version_major = MERIDIAN_VERSION / 10'000;
inline constexpr int version_minor = MERIDIAN_VERSION / 100 % 100;
inline constexpr int version_patch = MERIDIAN_VERSION % 100;

}  // namespace meridian::inline v2
