# docker build --tag gatewayapi-sms-connector .
# docker run --read-only --cap-drop ALL --security-opt no-new-privileges --stop-timeout 40 \
#     --publish 127.0.0.1:8080:8080 --volume sms-ledger:/app/data \
#     --env SMS_LOGTO__AUTHORIZATION --env SMS_GATEWAYAPI__API_TOKEN --env SMS_GATEWAYAPI__SENDER gatewayapi-sms-connector
#
# Within the stop timeout accepted calls can finish (server.shutdown_grace, 25 s), and what waits can be written (5 s).

FROM rust:1.95.0-bookworm AS build
# --build-arg FEATURES=otlp: with traces.
ARG FEATURES=""
WORKDIR /build

# The dependencies in a layer of their own, which stays while Cargo.toml and Cargo.lock stay. Cargo wants a file for each
# target of the manifest. What it made of them is removed, as it would pass for newer than the real files.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src benches \
    && touch src/lib.rs benches/line.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked --features "$FEATURES" \
    && cargo clean --release --package gatewayapi-sms-connector

# Default configuration, the page and templates are compiled in.
COPY config/default.toml config/default.toml
COPY page page
COPY templates templates
COPY src src
RUN cargo build --release --locked --features "$FEATURES" && mkdir data

# glibc and libgcc, no shell and no package manager; uid 65532. It has no versions, so it is named by its content;
# `docker buildx imagetools inspect gcr.io/distroless/cc-debian12:nonroot` tells today's.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
LABEL org.opencontainers.image.title="gatewayapi-sms-connector" \
      org.opencontainers.image.description="Sends Logto's verification codes as SMS through GatewayAPI" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /build/target/release/gatewayapi-sms-connector /usr/local/bin/

# A file mounted at /app/config/local.toml is read. The ledger is written to /app/data: mount a volume there to keep it.
WORKDIR /app
COPY --from=build --chown=65532:65532 /build/data /app/data
VOLUME /app/data
# 8080 for Logto. 9090 for operators and Prometheus, on the container's own loopback until
# SMS_OPERATOR__LISTEN=0.0.0.0:9090 opens it; publish it to trusted networks only.
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/gatewayapi-sms-connector", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/gatewayapi-sms-connector"]
CMD ["serve"]
