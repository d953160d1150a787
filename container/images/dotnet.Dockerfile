# .NET 10. As base.Dockerfile says.
FROM docker.io/library/node:26-trixie-slim AS packages
COPY dist/image/packages /opt/packages
RUN cd /opt/packages \
 && npm ci --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@openai/codex-linux-*/vendor/*/codex-resources

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble
# hadolint ignore=DL3002
USER root
COPY --from=packages /opt/packages /opt/packages
COPY --from=packages /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
COPY dist/image/scripts /opt/airlock
COPY dist/image/layer.sh /tmp/layer.sh
RUN sh /tmp/layer.sh
ENTRYPOINT ["/usr/bin/tini", "--", "sleep", "infinity"]
