# The serving image: the API, the policies and the rules. Nothing that trains comes in.
#
# Where no container engine is at hand, scripts/rehearse-dockerfile runs these very steps in a temporary folder. It reads
# this file, so it cannot drift; it knows FROM, WORKDIR, ENV, COPY, RUN, EXPOSE, HEALTHCHECK and CMD. Keep to these.

FROM python:3.12-slim AS build
WORKDIR /src
ENV PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/build.txt ./
RUN pip install --require-hashes -r build.txt
COPY pyproject.toml README.md LICENSE ./
COPY api ./api
COPY coach_model ./coach_model
COPY data ./data
COPY training ./training
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .
# Empty folders, which the images below take over with their owner: all that a service may write to.
RUN mkdir -p /owned/buddy/models /owned/mlflow


# MLflow for the data scientists (`docker compose --profile train up mlflow`); no part of serving.
FROM python:3.12-slim AS mlflow
WORKDIR /srv/mlflow
ENV PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/train.txt ./
RUN pip install --require-hashes -r train.txt
COPY --from=build --chown=10001:10001 /owned/mlflow ./data
# Without its job runners, which we do not use, the server is one small process tree instead of ten.
ENV MLFLOW_HOST=0.0.0.0 MLFLOW_PORT=5000 MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false HOME=/tmp
USER 10001:10001
VOLUME /srv/mlflow/data
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['MLFLOW_PORT'] + '/health', timeout=4)"]
CMD ["mlflow", "server", "--workers", "1", "--backend-store-uri", "sqlite:///data/mlflow.db", "--artifacts-destination", "data/artifacts"]


FROM python:3.12-slim
LABEL org.opencontainers.image.title="Buddy Coach" \
  org.opencontainers.image.description="The backend of KakeiBuddy and Kinderbud" \
  org.opencontainers.image.licenses="MIT"
WORKDIR /srv/buddy
ENV PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# With the writers of dataset packages, which serving itself never imports.
COPY requirements/research.txt ./
RUN pip install --require-hashes -r research.txt
COPY --from=build /wheels /wheels
RUN pip install --no-deps --no-index /wheels/*.whl
COPY --from=build --chown=10001:10001 /owned/buddy ./var
# pip has compiled what it installed; at run time nobody may write beside the code, so nobody tries.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER 10001:10001
# COACH_MODEL_DIR, unless set, is var/models in here: promoted policies outlive the container.
VOLUME /srv/buddy/var
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/ready', timeout=2)"]
CMD ["buddy", "serve"]
