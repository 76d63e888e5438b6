# One image for web, worker and beat; compose.yaml says which command each runs.
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/runtime.txt /tmp/runtime.txt
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/runtime.txt

FROM python:3.13-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VENV=/opt/venv \
    VAR_DIR=/var/lib/castfront \
    STATIC_ROOT=/opt/castfront/static-collected
RUN useradd --system --uid 10001 --home-dir /var/lib/castfront --create-home castfront
WORKDIR /opt/castfront
COPY --from=build /opt/venv /opt/venv
COPY . .
# These values exist in this one step only; collecting files needs settings and no server.
RUN SECRET_KEY=build FIELD_KEYS=build DATABASE_URL=postgres://build/build \
    REDIS_URL=redis://build SITE_URL=https://build.example \
    sh -c 'python -m config.messages compile && python manage.py collectstatic --noinput -v 0'
USER castfront
EXPOSE 8000
# Only web answers; compose.yaml switches this off for the others, which /healthz reports on.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "config/local/health.py"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", \
     "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
