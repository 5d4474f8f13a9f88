# syntax=docker/dockerfile:1
# kilnd with what the CPU device needs. docs/container.md says how to run it, and which base images
# bring CUDA or ROCm. Every step is one of the scripts'.

ARG BUILD_BASE=debian:12-slim
# Debian 12 or Ubuntu 24.04, or an image made from one of them.
ARG RUN_BASE=debian:12-slim

FROM ${BUILD_BASE} AS build
WORKDIR /src
# A layer of its own, which edits of the code leave alone.
COPY scripts/ scripts/
RUN scripts/build --tools-only
COPY . .
RUN scripts/install --bundle --prefix /out

FROM ${RUN_BASE}
RUN --mount=type=bind,source=scripts,target=/src/scripts --mount=type=tmpfs,target=/src/build \
    --mount=type=tmpfs,target=/var/lib/apt/lists \
    /src/scripts/install --run-packages --service-user
COPY --from=build /out/ /usr/local/
# So that socket and database lie where the volumes are, for kilnd and tunectl.
ENV XDG_RUNTIME_DIR=/run XDG_STATE_HOME=/var/lib
USER kiln
VOLUME ["/run/kiln", "/var/lib/kiln"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["tunectl", "families", "--quiet"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["kilnd"]
