# Common commands; `make` alone lists them. Each command first updates .venv with scripts/install.
# PYTHON=/path/to/python chooses the interpreter; ARGS="..." is passed to the command.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-long check fmt screenshots science bench train docker lock clean

# With this variable set, every command and every service that the tests start would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

ARGS ?=
bin := .venv/bin

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: ## Serve on http://localhost:8000
	@scripts/install serve
	@exec $(bin)/buddy serve $(ARGS)

test: ## Run the tests but for the long ones; ARGS="-k gate -x" selects some of them
	@scripts/install dev
	$(bin)/pytest -n 4 --dist worksteal $(ARGS)

test-long: ## Run the long tests: whole studies and years, crashes, simulations, browsers
	@scripts/install dev
	$(bin)/pytest -n 4 --dist worksteal -m long $(ARGS)

check: ## Format, lint, types, import rules, OpenAPI
	@scripts/install dev
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/python -m tests.openapi_lint

fmt: ## Format the code and fix what ruff can fix
	@scripts/install dev
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

screenshots: ## Make the pictures of the pages again (needs Chromium)
	@scripts/install dev
	$(bin)/python -m tests.e2e.screenshots

science: ## Check the claims of docs/science.md by simulation (40 minutes)
	@scripts/install dev
	$(bin)/python -m tests.science $(ARGS)

bench: ## Measure latency and throughput
	@scripts/install dev
	$(bin)/python -m tests.bench $(ARGS)

train: ## Train the artifacts of both coaches, from the sample dataset and from simulated families
	@scripts/install train
	$(bin)/buddy-train train data/samples/budget --out coach_model/artifacts/budget $(ARGS)
	@rm -rf var/families
	$(bin)/buddy-train simulate-households var/families
	$(bin)/buddy-train train var/families --out coach_model/artifacts/daily $(ARGS)

# podman's default image format has no health check, so docker's format is used.
docker: ## Build the image buddy-coach; without a container engine, run the Dockerfile's steps in a folder
	@if docker info >/dev/null 2>&1; then \
	  exec docker build --tag buddy-coach .; \
	elif podman info >/dev/null 2>&1; then \
	  exec podman build --format docker --tag buddy-coach .; \
	else \
	  echo "No container engine is available: running the Dockerfile's steps in a folder instead." >&2; \
	  python="$$(scripts/find-python)"; \
	  exec "$$python" scripts/rehearse-dockerfile; \
	fi

lock: ## Write requirements/*.txt from pyproject.toml (needs uv)
	scripts/lock

clean: ## Remove .venv, caches and builds, but not var/, which holds data
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
