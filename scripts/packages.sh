# Sourced by the scripts beside it: what they need from Debian, and how to get it.

build_packages=(
  g++ cmake ninja-build libboost1.81-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libcli11-dev
  libssl-dev libisal-dev libnats-dev libsystemd-dev libncurses-dev prometheus-cpp-dev pkg-config
)
test_packages=(
  ccache libgtest-dev libgmock-dev nats-server python3 mandoc man-db prometheus tmux chromium python3-websockets
)
# For the package, the image and the booted system.
system_packages=(buildah debootstrap dpkg-dev file lintian python3 systemd-container)
# For the tours of docs/start.md, and for cpack.
tool_packages=(socat netcat-openbsd dpkg-dev file)
# llvm-19 has the symbolizer, which gives functions and lines in sanitizer reports.
clang_packages=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev lld-19 llvm-19)

# Installs the packages that are not there yet; asks the network for nothing if all are.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "missing packages: ${missing[*]} (run this as root, or install sudo)" >&2
      return 1
    }
    as_root=(sudo)
  fi
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
}
