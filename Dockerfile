# Countersign as an image: slim, not root, made for a read-only root (`docker run --read-only`), everything from the lock.
# `make image` runs the same steps without a daemon. Pin the two base images by digest in your own registry.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN tools/image /opt/countersign

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 countersign \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/countersign --shell /usr/sbin/nologin countersign \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/countersign /var/lib/countersign/state /keys
COPY --from=build /opt/countersign /opt/countersign
ENV PATH=/opt/countersign/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    COUNTERSIGN_STATE_DIR=/var/lib/countersign/state \
    COUNTERSIGN_DATABASE_URL=sqlite:////var/lib/countersign/countersign.db \
    COUNTERSIGN_RUNBOOKS_DIR=/etc/countersign/runbooks \
    COUNTERSIGN_OPS_LISTEN=127.0.0.1:9090 \
    COUNTERSIGN_LOG_FORMAT=json
WORKDIR /var/lib/countersign
USER 10001:10001
VOLUME ["/var/lib/countersign"]
STOPSIGNAL SIGTERM
# Alive means that the process answers; whether it is ready says /readyz, and a standby is.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9090/healthz', timeout=2)"]
ENTRYPOINT ["countersign"]
CMD ["run"]
