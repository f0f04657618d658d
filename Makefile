# Everything runs in .venv, which these targets build by themselves from hash-locked requirements.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What Python compiles is kept, whatever the environment says: the tests start some hundred processes, each of which would
# compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-pages test-clients soak check wheel-check bench bench-peers docs site lock clean

demo: .venv/.run
	$(BIN)/tradebook demo $(DEMO)

PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test: .venv/.dev
	tools/in_memory.sh $(PYTEST) $(TESTS)

# The pages in a browser, with Debian's chromium; and their examples, each carried out.
test-pages: .venv/.pages
	TRADEBOOK_TEST_PAGES=1 $(BIN)/python -m pytest -n 2 --dist loadfile tests/browser

# On the disk: what it measures is what an operator has.
soak: .venv/.dev
	TRADEBOOK_TEST_SOAK=1 $(PYTEST) $(TESTS)

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONPATH=client/src $(BIN)/lint-imports --config client/pyproject.toml
	$(BIN)/python tools/reference.py --check
	$(BIN)/python tools/client_types.py --check

test-clients: .venv/.dev
	$(BIN)/python tools/clients_check.py $(CLIENTS)

wheel-check: .venv/.dev
	$(BIN)/python tools/wheel_check.py

bench: .venv/.dev
	$(BIN)/python -m bench $(BENCH)

# The same work on what is picked in Tradebook's place. Its packages are in an environment of their own; without
# them it says so, and measures Tradebook alone.
bench-peers: .venv/.dev
	$(MAKE) .peers/.installed || echo "The peers' packages can't be had: see above."
	$(BIN)/python -m bench.peers $(BENCH)

docs: .venv/.dev
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/client_types.py

# The documentation as a site, in site/; fails on a link that leads nowhere.
site: .venv/.pages
	$(BIN)/python tools/site.py

# Renews all locks. No line of them names where a package comes from.
lock: .venv/.dev
	$(BIN)/pip-compile $(LOCK) --output-file requirements.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK) --constraint requirements-dev.txt --output-file requirements-pages.txt requirements-pages.in
	$(BIN)/pip-compile $(LOCK) --output-file requirements-clients.txt requirements-clients.in
	$(BIN)/pip-compile $(LOCK) --output-file requirements-peers.txt requirements-peers.in
	cd tests/generators && npm update --package-lock-only --no-audit --no-fund

LOCK := --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tradebook needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv

.venv/.run: requirements.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-build-isolation --no-deps --editable .
	touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	$(PIP) install --require-hashes -r requirements-dev.txt
	touch $@

.venv/.pages: .venv/.dev requirements-pages.txt
	$(PIP) install --require-hashes -r requirements-pages.txt
	touch $@

.peers/.installed: requirements-peers.txt
	$(PYTHON) -m venv .peers
	.peers/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-peers.txt
	touch $@

clean:
	rm -rf .venv .clients .peers .hypothesis .mypy_cache .ruff_cache .pytest_cache
