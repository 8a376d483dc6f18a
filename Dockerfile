# Meridian in a container: see "In a container" in README.md.

FROM debian:bookworm-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /meridian
COPY scripts/packages.sh scripts/
RUN source scripts/packages.sh && need_packages "${build_packages[@]}"
COPY . .
# Without debug information, which would be stripped, and takes a third of the time.
RUN cmake --preset release -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -DNDEBUG" && \
    cmake --build --preset release && \
    cmake --install build/release --component runtime --strip --prefix /meridian/root

FROM debian:bookworm-slim
RUN apt-get update -q && \
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      libfmt9 libisal2 libnats3.4 libncursesw6 libprometheus-cpp-core1.0 libspdlog1.10 libssl3 \
      libstdc++6 libsystemd0 libtinfo6 && \
    rm -rf /var/lib/apt/lists/*
# By number, so that whoever runs the image can see that it is not root, and own the volumes.
RUN groupadd --gid 7400 meridian && \
    useradd --uid 7400 --gid 7400 --no-create-home --home-dir /var/lib/meridian \
      --shell /usr/sbin/nologin meridian && \
    install -d -o meridian -g meridian -m 0755 /run/meridian && \
    install -d -o meridian -g meridian -m 0700 /var/lib/meridian
COPY --from=build /meridian/root/bin/ /usr/bin/
COPY packaging/container/meridiand.json /etc/meridian/

# Configuration; control socket; what is saved when the container stops.
VOLUME ["/etc/meridian", "/run/meridian", "/var/lib/meridian"]
ENV STATE_DIRECTORY=/var/lib/meridian
EXPOSE 7400 7401
USER 7400:7400
# start-period: a large saved buffer is read before the first answer.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["meridianctl", "depth"]
ENTRYPOINT ["/usr/bin/meridiand"]
