# Two commands for a newcomer: `make demo` and `make test`. Everything lives in .venv and data/.
PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.installed
DAY    ?= 1
LOCKS  := requirements/uv.txt requirements/dev.txt
PEERS  := benchmarks/.venv
# Twice the cores: whole runs against servers wait about as long as they compute.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * len(os.sched_getaffinity(0)))')

.DEFAULT_GOAL := help
.PHONY: help demo test test-compiled test-chaos test-core bench bench-crawl bench-warehouse fast clean-fast lint types docs lock clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# The lock files hold hashes and no addresses: any index or mirror that pip is set up for serves them.
$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fazhi needs Python 3.11 or newer; say which one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --no-deps -r requirements/dev.txt || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index --editable .
	@touch $@

demo: $(STAMP)  ## Crawl the bundled sandbox portals into data/ and print the run report (DAY=2: the portals a day later)
	@$(BIN)/fazhi demo --day $(DAY)

# Over a hundred processes import the program: they read what the first one compiled, whatever the environment says.
test test-chaos test-core: export PYTHONDONTWRITEBYTECODE =

test: $(STAMP)  ## The whole test suite, in parallel
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

test-compiled: $(STAMP)  ## The compiled core answers as its sources do (needs a C compiler; takes minutes)
	@$(BIN)/pytest -m compiled tests/test_fast.py

test-chaos: $(STAMP)  ## Nights and reparses in which workers, server and database are lost (some five minutes)
	@$(BIN)/pytest -n 0 -m chaos tests/nightly/test_chaos.py tests/reparse/test_interrupted.py

test-core: $(STAMP)  ## The pure core only: extraction and engines
	@$(BIN)/pytest -n auto tests/extraction tests/connectors/test_engine*.py

# The peers live apart. Where they cannot be installed the tables say so, and docs/benchmarks.md stays as it is.
$(PEERS)/.installed: $(STAMP) requirements/bench.txt
	@rm -rf $(PEERS) && $(BIN)/uv venv --quiet --python $(BIN)/python $(PEERS)
	@echo "Installing the benchmark's peers into $(PEERS) ..."
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(PEERS)/bin/python --require-hashes --no-deps \
	  --build-constraints requirements/bench.txt -r requirements/bench.txt
	@touch $@

fast: $(STAMP)  ## Optional: compile the pure core with mypyc and Cython (needs a C compiler and Python's headers; takes minutes)
	@$(BIN)/python -m fazhi.fast

clean-fast:  ## Take the compiled core out again
	@rm -f extraction/*.so extraction/*.pyd && rm -rf build && rm -f extraction/.compiled

bench: $(STAMP)  ## Speed, quality, memory and growth beside two peers; writes docs/benchmarks.md
	@$(MAKE) --no-print-directory $(PEERS)/.installed || echo "The peers could not be installed: the tables mark them." >&2
	@$(BIN)/python benchmarks/extraction.py --json data/benchmarks.json --write-docs

bench-crawl: $(STAMP)  ## Crawling and cleaning beside Scrapy and four extractors, a simulated night; writes docs/benchmarks-crawl.md
	@$(MAKE) --no-print-directory $(PEERS)/.installed || echo "The peers could not be installed: the tables mark them." >&2
	@$(BIN)/python -m benchmarks.crawl --json data/benchmarks-crawl.json --write-docs

bench-warehouse: $(STAMP)  ## Loading beside COPY and pandas, and a warehouse of 20 million observations (60 GB, over an hour)
	@mkdir -p data
	@$(BIN)/python -m benchmarks.loading --json data/benchmarks-loading.json
	@$(BIN)/python -m benchmarks.scale --json data/benchmarks-scale.json > /dev/null
	@$(BIN)/python -m benchmarks.warehouse_report data/benchmarks-loading.json data/benchmarks-scale.json

lint: $(STAMP)  ## Formatting and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(STAMP)  ## Static types (mypy --strict on every package)
	@$(BIN)/mypy

docs: $(STAMP)  ## Write the generated documents: settings, CLI reference, data dictionary
	@$(BIN)/python -m fazhi.docs

lock: $(STAMP)  ## Resolve the dependencies anew and write the hashed lock files
	@cd requirements && ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --upgrade --extra dev ../pyproject.toml -o dev.txt
	@cd requirements && ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet -c dev.txt ../pyproject.toml -o runtime.txt
	@cd requirements && ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --upgrade --prerelease allow --group ../pyproject.toml:bench -o bench.txt
	@cd requirements && echo uv | ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --upgrade - -o uv.txt

clean: clean-fast  ## Remove the environment, the data folder and every build
	rm -rf .venv $(PEERS) benchmarks/.build data *.egg-info
