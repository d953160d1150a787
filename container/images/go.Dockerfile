# Go. As base.Dockerfile says.
FROM docker.io/library/node:26-trixie-slim AS packages
COPY dist/image/packages /opt/packages
RUN cd /opt/packages \
 && npm ci --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@openai/codex-linux-*/vendor/*/codex-resources

FROM docker.io/library/golang:1.25-trixie
# hadolint ignore=DL3002
USER root
COPY --from=packages /opt/packages /opt/packages
COPY --from=packages /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
COPY dist/image/scripts /opt/airlock
COPY dist/image/layer.sh /tmp/layer.sh
RUN sh /tmp/layer.sh && ln -s /usr/local/go/bin/* /usr/local/bin/
ENTRYPOINT ["/usr/bin/tini", "--", "sleep", "infinity"]
