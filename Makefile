# `make demo` runs the main job, `make test` passes the tests; both set up .venv by themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test soak gpu check docs bench bench-check dist protos clean

$(VENV)/.runtime: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/pip install --quiet --editable '.[dev]'
	fitting=$$($(BIN)/python -m scripts.torchrec_for_torch) && \
		{ test -z "$$fitting" || $(BIN)/pip install --quiet --no-deps $$fitting; }
	touch $@

$(VENV)/.soak: $(VENV)/.dev
	$(BIN)/pip install --quiet --editable '.[dev,soak]'
	touch $@

$(VENV)/.docs: $(VENV)/.runtime
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

$(VENV)/.dist: $(VENV)/.dev
	$(BIN)/pip install --quiet --editable '.[dev,dist]'
	touch $@

demo: $(VENV)/.runtime ## Make a click log, train on 2 workers, show how it went.
	$(BIN)/python -m raymon.data.synthetic demo/data
	rm -rf demo/run
	$(BIN)/raymon train raymon/examples/demo.config

test: check ## Pass every test.
	$(BIN)/python -m compileall -q -j 2 raymon benchmarks
	GLIBC_TUNABLES=glibc.malloc.hugetlb=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

soak: $(VENV)/.soak ## Kill dozens of processes, cut networks, look long for broken laws. Two hours.
	$(BIN)/python -m pytest -m '' -s --hypothesis-profile=soak \
		tests/soak tests/benchmarks tests/integration/test_benchmarks.py tests/integration/test_kills.py \
		tests/integration/test_examples.py \
		tests/training/loop/test_compiled.py \
		tests/reporter/test_history_laws.py tests/reporter/test_bad_messages.py

# With the Python that is there, which a machine with a GPU may have torch in: it installs nothing.
gpu: ## Test CUDA and measure on it, where there is a GPU; without Ray. Five minutes.
	$(if $(wildcard $(BIN)/python),$(BIN)/python,python3) -m scripts.gpu

bench: $(VENV)/.dev ## Measure raymon beside others; writes benchmarks/results. Three quarters of an hour.
	$(BIN)/python -m benchmarks.harness.everything
	$(BIN)/python -m benchmarks.harness.everything --quick
	$(BIN)/python -m scripts.error_plot

bench-check: $(VENV)/.dev ## Are the ratios still those of benchmarks/results/quick? On any machine.
	$(BIN)/python -m benchmarks.harness.check

dist: $(VENV)/.dist ## Build the wheel and the sdist, and try each in a fresh environment.
	scripts/try_dist

check: $(VENV)/.dev ## Style, types, imports, and generated code.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/generate_protos --check

docs: $(VENV)/.dev $(VENV)/.docs ## Build the documents into build/site; what they show must exist.
	$(BIN)/python -m pytest tests/docs
	$(BIN)/python -m mkdocs build

protos: $(VENV)/.dev ## Generate raymon/protos from protos/raymon.
	scripts/generate_protos

clean: ## Remove what make made.
	rm -rf $(VENV) demo build dist *.egg-info
