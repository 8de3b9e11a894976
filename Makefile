# Five verbs: demo test check bench docs. Each sets up what it needs in .venv first. Beside them: bench-decode, bench-geo,
# bench-detect, bench-cargo and bench-daemon (the decoder, the geography, the detectors, the goods, the daemon) and fuzz,
# which set up what they need in environments of their own; soak (hours), flood (a minute) and kills (a thousand) try what
# a daemon must survive.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Workers compile nothing twice after `warmup`; a file is one worker's, so that its fixtures are made once. Files in their
# order: by the number of tests, as is usual, the few that take a minute each would come last.
# One more than cores: tests of the daemon wait a third of their time.
TEST_WORKERS ?= 3

FUZZ_SECONDS ?= 600
FUZZ_MODE ?= compiled
FUZZ_VENV := $(VENV)-fuzz

.PHONY: demo test check bench bench-decode bench-geo bench-detect bench-cargo bench-daemon soak flood kills fuzz docs clean
.DEFAULT_GOAL := demo

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Luxwake needs Python 3.11 or newer; this is " + sys.version.split()[0] + " (make PYTHON=python3.12)") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) (once)"
	@$(PIP) install --no-compile -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) with what tests and checks need (once)"
	@$(PIP) install --no-compile -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run
	@$(BIN)/luxwake demo --out out/demo

test: $(VENV)/.dev
	$(BIN)/luxwake warmup
	$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_house.py tests/test_readme.py

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

bench-decode: $(VENV)/.dev
	$(BIN)/python -m benchmarks decode crafted

bench-geo: $(VENV)/.dev
	$(BIN)/python -m benchmarks geo

bench-detect: $(VENV)/.dev
	$(BIN)/python -m benchmarks detect

$(FUZZ_VENV)/.ready: pyproject.toml constraints.txt
	@echo "setting up $(FUZZ_VENV) with the fuzzer (once)"
	@$(PYTHON) -m venv $(FUZZ_VENV)
	@$(FUZZ_VENV)/bin/python -m pip --disable-pip-version-check --quiet install -c constraints.txt atheris==3.0.0 numba numpy
	@touch $@

bench-cargo: $(VENV)/.dev
	$(BIN)/python -m benchmarks cargo shipments goods

bench-daemon: $(VENV)/.dev
	$(BIN)/python -m benchmarks daemon

SOAK_MINUTES ?= 120

soak: $(VENV)/.dev
	$(BIN)/luxwake warmup
	$(BIN)/python -m benchmarks.soak --minutes $(SOAK_MINUTES) --rate 20000

flood: $(VENV)/.dev
	$(BIN)/luxwake warmup
	$(BIN)/python -m benchmarks.soak --minutes 1 --rate 100000

kills: $(VENV)/.dev
	$(BIN)/luxwake warmup
	LUXWAKE_KILLS=1000 $(BIN)/python -m pytest -q -s tests/test_daemon_kills.py
	LUXWAKE_FAULTS=1 $(BIN)/python -m pytest -q --numprocesses $(TEST_WORKERS) tests/test_daemon_faults.py

fuzz: $(FUZZ_VENV)/.ready
	$(FUZZ_VENV)/bin/python -m tests.fuzz --mode $(FUZZ_MODE) --seconds $(FUZZ_SECONDS) --out out/fuzz

docs: $(VENV)/.dev
	$(BIN)/python -m pytest -q --doctest-modules geo ais detectors cargo luxwake tests/test_readme.py

clean:
	rm -rf $(VENV) $(FUZZ_VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
