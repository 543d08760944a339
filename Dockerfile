# ringfence as an image: `docker build -t ringfence .`; docs/operations.md, section 8, says how it is run.
# Pin the base by its digest where you keep images: --build-arg PYTHON=3.11-slim-bookworm@sha256:...
ARG PYTHON=3.11-slim-bookworm

# The wheel, and an environment with everything it needs; all that comes from outside is checked against its hash.
FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv /build \
 && /build/bin/python -m pip install --no-deps --require-hashes -r requirements/build.txt \
 && python -m venv --without-pip /opt/ringfence \
 && /build/bin/python -m pip --python /opt/ringfence/bin/python install --no-deps --require-hashes -r requirements/run.txt
COPY . .
RUN /build/bin/python -m build --no-isolation --outdir /dist \
 && /build/bin/python -m pip --python /opt/ringfence/bin/python install --no-deps --no-index /dist/*.whl

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="ringfence" \
      org.opencontainers.image.description="Keeps the phone fields of a CRM true" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 ringfence \
 && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /var/lib/ringfence --shell /usr/sbin/nologin ringfence \
 && install -d -o ringfence -g ringfence -m 0700 /var/lib/ringfence /run/ringfence
COPY --from=build /opt/ringfence /opt/ringfence
ENV PATH=/opt/ringfence/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# By number, so that an orchestrator can see that it is not root. Only this folder, /run/ringfence and /tmp are written to.
USER 10001:10001
WORKDIR /var/lib/ringfence
# A worker or a scheduler with `--health-file /run/ringfence/health` renews that file; other commands have none.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/bin/sh", "-c", "test ! -e /run/ringfence/health || find /run/ringfence/health -mmin -1 | grep -q ."]
ENTRYPOINT ["ringfence"]
CMD ["--help"]
