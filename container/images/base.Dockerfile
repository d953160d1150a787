# The sandbox image with Node, Python and C, for the platform's own containers; the other images here are like
# it. Nothing of ours listens in it: the Worker runs programs through the platform. `layer.sh` adds what Airlock
# needs to any image of Debian or Ubuntu, and smoke-test.sh checks the result. Builds without BuildKit.
# Give each language's programs a link in /usr/local/bin: commands get no other variables than ours.
FROM docker.io/library/node:26-trixie-slim AS packages
COPY dist/image/packages /opt/packages
RUN cd /opt/packages \
 && npm ci --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@openai/codex-linux-*/vendor/*/codex-resources

FROM docker.io/library/debian:trixie-slim
# hadolint ignore=DL3002
USER root
COPY --from=packages /opt/packages /opt/packages
COPY --from=packages /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
COPY dist/image/scripts /opt/airlock
COPY dist/image/layer.sh /tmp/layer.sh
RUN sh /tmp/layer.sh
ENTRYPOINT ["/usr/bin/tini", "--", "sleep", "infinity"]
