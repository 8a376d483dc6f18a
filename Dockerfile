# Meridian in a container: see docs/operate/install.md. The image installs the Debian package:
# the one in package/, or, where there is none, one that is built here from source.

FROM debian:bookworm-slim AS package
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /meridian
COPY . .
# No debug information: the package strips it, and it costs a third of the build time.
RUN mkdir -p package && \
    if ! compgen -G "package/meridian_*.deb" >/dev/null; then \
      source scripts/packages.sh && \
      need_packages "${build_packages[@]}" dpkg-dev file && \
      cmake --preset release -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -DNDEBUG" && \
      cmake --build --preset release && \
      (cd build/release && cpack -B /meridian/package); \
    fi && \
    packages=(package/meridian_*.deb) && \
    if [ ${#packages[@]} -gt 1 ]; then echo "package/ holds several packages: leave one" >&2; exit 1; fi && \
    mv "${packages[0]}" /meridian.deb

FROM debian:bookworm-slim
COPY --from=package /meridian.deb /tmp/meridian.deb
# By number, so that whoever runs the image can see that it is not root, and own the volumes.
RUN groupadd --gid 7400 meridian && \
    useradd --uid 7400 --gid 7400 --no-create-home --home-dir /var/lib/meridian \
      --shell /usr/sbin/nologin meridian && \
    apt-get update -q && \
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      systemd-standalone-sysusers /tmp/meridian.deb && \
    rm -rf /var/lib/apt/lists/* /tmp/meridian.deb && \
    install -d -o meridian -g meridian -m 0755 /run/meridian && \
    install -d -o meridian -g meridian -m 0700 /var/lib/meridian
# As the package installs its own: it may come to hold a password. (COPY --chmod needs BuildKit.)
COPY --chown=0:7400 packaging/container/meridiand.json /etc/meridian/
RUN chmod 0640 /etc/meridian/meridiand.json

# Configuration; control socket; what is saved when the container stops.
VOLUME ["/etc/meridian", "/run/meridian", "/var/lib/meridian"]
ENV STATE_DIRECTORY=/var/lib/meridian
EXPOSE 7400 7401
USER 7400:7400
# start-period: a large saved buffer is read before the first answer.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["meridianctl", "depth"]
ENTRYPOINT ["/usr/bin/meridiand"]
