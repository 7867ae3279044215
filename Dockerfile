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
    GUICHET_DATA_DIR=/data
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
# Settings can be read and the live index opens: without them no question is answered. When the bot itself ends, the
# container ends with it, and the restart policy decides.
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s --retries=3 CMD ["guichet", "index", "status"]
# Each start looks at the knowledge; only what has changed is encoded. If it cannot be read, the log says where, and
# the index that was live before goes on answering. `exec` makes the bot the process that gets the signal to stop.
CMD ["sh", "-c", "guichet index; exec guichet run"]
