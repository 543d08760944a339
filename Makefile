# Everything happens in .venv of this checkout; each target does its own set-up and can be repeated.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
# One more than there are processors: many tests wait for processes that they start.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
SLOW_WORKERS ?= $(shell expr $(WORKERS) + 1)

.PHONY: setup demo picture test test-slow test-postgres tools coverage lint types words wheel lock clean

setup: $(STAMP)

# The stamp depends on the locked requirements and on the project file, so a change of either installs again.
# --no-deps: the lock names every package. With a resolver at work, older pips take a newer release for a requirement with an
# extra (`coverage[toml]`), find no hash for it and fail on the day that release appears.
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ringfence needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Run: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/ringfence demo

# Draws the picture of the demo in the README.
picture: $(STAMP)
	$(BIN)/python docs/demo_picture.py

test: $(STAMP)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not slow" $(PYTEST_ARGS)

# Walks of whole guides, other clients and a browser: minutes, and so in .ci/run alone. They wait more than they work.
test-slow: $(STAMP)
	$(BIN)/pytest -n $(SLOW_WORKERS) --dist worksteal -m "slow and not every_case" $(PYTEST_ARGS)

# Every case of every test on PostgreSQL: a quarter of an hour, and so by hand, before a change of the state store lands.
test-postgres: $(STAMP)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m every_case $(PYTEST_ARGS)

# What the tests of deploy/ use beside the rest: a linter of Dockerfiles, the schemas of Compose and of Kubernetes.
tools: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/deploy.txt

# Twice the time of `test`, and so by hand only.
coverage: $(STAMP)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=.links $(BIN)/lint-imports --no-cache

types: $(STAMP)
	$(BIN)/mypy

# The page of all words, from apps/words.yaml.
words: $(STAMP)
	$(BIN)/python -m ringfence.apps.words_page > docs/words.md

# Built through the source distribution, because a wheel straight from the tree can carry deleted modules from build/.
wheel: $(STAMP)
	rm -rf build dist
	$(BIN)/python -m build --no-isolation

# Needs uv. The files carry hashes and name no index host.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --all-extras pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --all-extras --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --group build -c requirements/dev.txt -o requirements/build.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --group deploy -c requirements/dev.txt -o requirements/deploy.txt

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
