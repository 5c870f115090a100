# The serving image: the API, the policies and the rules, without the libraries for training.
#
# On a machine without a container engine, scripts/rehearse-dockerfile runs the steps of this file in a temporary folder.
# It supports FROM, WORKDIR, ENV, COPY, RUN, EXPOSE, HEALTHCHECK and CMD. Use no other instructions here.

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
# Empty folders that the images below copy with their owner. A service may write only to them.
RUN mkdir -p /owned/buddy/models /owned/mlflow


# MLflow for data scientists (`docker compose --profile train up mlflow`); it is not part of serving.
FROM python:3.12-slim AS mlflow
WORKDIR /srv/mlflow
ENV PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/train.txt ./
RUN pip install --require-hashes -r train.txt
COPY --from=build --chown=10001:10001 /owned/mlflow ./data
# The job runners of MLflow are not used. Without them the server has a few processes instead of ten.
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
# These requirements include the writers of dataset packages. Serving does not import them.
COPY requirements/research.txt ./
RUN pip install --require-hashes -r research.txt
COPY --from=build /wheels /wheels
RUN pip install --no-deps --no-index /wheels/*.whl
COPY --from=build --chown=10001:10001 /owned/buddy ./var
# pip has compiled the installed modules. At run time the user cannot write next to the code, so Python does not try to.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER 10001:10001
# The default of COACH_MODEL_DIR is var/models, in this volume, so promoted policies outlive the container.
VOLUME /srv/buddy/var
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/ready', timeout=2)"]
CMD ["buddy", "serve"]
