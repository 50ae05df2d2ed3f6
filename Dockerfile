# Two images from one file: `web` (API, migrations) and `worker` (trainer, reaper).
FROM node:22-slim AS page
WORKDIR /studio/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim AS base
RUN useradd --create-home --uid 1000 unisd \
    && mkdir -p /var/lib/unisd && chown unisd /var/lib/unisd
WORKDIR /studio
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY pyproject.toml requirements.lock README.md ./
COPY core/ core/
COPY app/ app/
COPY cli/ cli/
COPY worker/ worker/
COPY migrations/ migrations/

FROM base AS web
RUN pip install --constraint requirements.lock --editable '.[web,s3]'
COPY --from=page /studio/app/static app/static
USER unisd
EXPOSE 8000
CMD ["unisd", "api"]

FROM base AS worker
# Model-written code is tested behind its walls, where the container may make namespaces.
RUN apt-get update && apt-get install --yes --no-install-recommends bubblewrap \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --constraint requirements.lock --editable '.[web,train,s3]'
USER unisd
CMD ["unisd", "worker"]
