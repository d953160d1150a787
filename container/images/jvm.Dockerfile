# Temurin 21, Maven and Gradle. As base.Dockerfile says.
FROM docker.io/library/node:26-trixie-slim AS packages
COPY dist/image/packages /opt/packages
RUN cd /opt/packages \
 && npm ci --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@openai/codex-linux-*/vendor/*/codex-resources
FROM docker.io/library/maven:3.9-eclipse-temurin-21 AS maven
FROM docker.io/library/gradle:9-jdk21 AS gradle

FROM docker.io/library/eclipse-temurin:21-jdk-noble
# hadolint ignore=DL3002
USER root
COPY --from=packages /opt/packages /opt/packages
COPY --from=packages /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
COPY dist/image/scripts /opt/airlock
COPY dist/image/layer.sh /tmp/layer.sh
RUN sh /tmp/layer.sh
COPY --from=maven /usr/share/maven /usr/share/maven
COPY --from=gradle /opt/gradle /opt/gradle
RUN ln -s /opt/java/openjdk/bin/* /usr/share/maven/bin/mvn /opt/gradle/bin/gradle /usr/local/bin/
# Java has a list of authorities of its own; this start adds the platform's, which intercepts requests.
ENTRYPOINT ["/usr/bin/tini", "--", "sh", "-c", "keytool -importcert -noprompt -cacerts -storepass changeit -alias airlock -file /etc/cloudflare/certs/cloudflare-containers-ca.crt; exec sleep infinity"]
