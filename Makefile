# Everyday commands; `make` alone lists them. Each one first brings .venv to what it needs (scripts/install).
# PYTHON=/path/to/python chooses the interpreter, ARGS="..." goes on to the command.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test check fmt screenshots science bench train docker lock clean

# Whoever sets it would let every command and every service that the tests start compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

ARGS ?=
bin := .venv/bin

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: ## Serve on http://localhost:8000
	@scripts/install serve
	@exec $(bin)/buddy serve $(ARGS)

test: ## Run the tests; ARGS="-k gate -x" chooses among them
	@scripts/install dev
	$(bin)/pytest -n 2 --dist worksteal $(ARGS)

check: ## Format, lint, types, import rules, OpenAPI
	@scripts/install dev
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/python -m tests.openapi_lint

fmt: ## Format the code and mend what ruff can mend
	@scripts/install dev
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

screenshots: ## Draw the pictures of the pages anew (needs Chromium)
	@scripts/install dev
	$(bin)/python -m tests.e2e.screenshots

science: ## Simulate what docs/science.md claims (forty minutes)
	@scripts/install dev
	$(bin)/python -m tests.science $(ARGS)

bench: ## Measure latency and throughput
	@scripts/install dev
	$(bin)/python -m tests.bench $(ARGS)

train: ## Train both coaches' artifacts: from the sample dataset, and from simulated families
	@scripts/install train
	$(bin)/buddy-train train data/samples/budget --out coach_model/artifacts/budget $(ARGS)
	@rm -rf var/families
	$(bin)/buddy-train simulate-households var/families
	$(bin)/buddy-train train var/families --out coach_model/artifacts/daily $(ARGS)

# podman's own image format has no health check, hence docker's.
docker: ## Build the image buddy-coach, or rehearse its Dockerfile where no container engine answers
	@if docker info >/dev/null 2>&1; then \
	  exec docker build --tag buddy-coach .; \
	elif podman info >/dev/null 2>&1; then \
	  exec podman build --format docker --tag buddy-coach .; \
	else \
	  echo "No container engine answers: rehearsing the Dockerfile instead." >&2; \
	  python="$$(scripts/find-python)"; \
	  exec "$$python" scripts/rehearse-dockerfile $(ARGS); \
	fi

lock: ## Write requirements/*.txt anew from pyproject.toml (needs uv)
	scripts/lock

clean: ## Remove .venv, caches and builds; never var/, which holds data
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
