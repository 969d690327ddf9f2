# One entry point for people and CI. `make help` lists the targets.
PYTHON ?= python3
INTERPRETER := $(shell tools/find_python.sh $(PYTHON))
TAG := $(shell $(INTERPRETER) -c 'import sys; print("cp%d%d" % sys.version_info[:2])' 2>/dev/null)
VENV ?= .venv-$(TAG)
BIN := $(VENV)/bin
BUILD := build/$(TAG)
STAMP := $(VENV)/.installed
# What `make run` needs is less: no test tools, no database server.
RUN_STAMP := $(VENV)/.installed-run
HOST ?= 127.0.0.1
PORT ?= 8000
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help dev build run test test-c test-py test-django lint fmt types asan soak fuzz bench profile clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
	@echo 'PYTHON=python3.13 chooses the interpreter (each has its own .venv-cpXY and build/cpXY); ARGS= goes to pytest.'

$(STAMP): pyproject.toml tools/bootstrap.sh
	@tools/bootstrap.sh "$(INTERPRETER)" "$(VENV)" "$(BUILD)" dev
	@touch $(RUN_STAMP) $@

$(RUN_STAMP): pyproject.toml tools/bootstrap.sh
	@tools/bootstrap.sh "$(INTERPRETER)" "$(VENV)" "$(BUILD)" run
	@touch $@

dev: $(STAMP) ## Install what is missing: system headers, .venv, the editable package

build: $(STAMP) ## Compile
	@meson compile -C $(BUILD)

run: $(RUN_STAMP) ## Serve the example project: HOST=127.0.0.1 PORT=8000 ARGS="--dev --processes 2 ..."
	@meson compile -C $(BUILD) >/dev/null
	@cd examples/guide && python manage.py migrate --verbosity 0 && python manage.py seed
	@cd examples/guide && GUIDE_EXTERNAL_URL=http://$(HOST):$(PORT)/external/data \
	    exec python manage.py runbolt --host $(HOST) --port $(PORT) $(ARGS)

test: test-c test-py test-django ## All tests

test-c: build ## C unit tests, replay of the fuzz corpora
	meson test -C $(BUILD) --print-errorlogs --suite c --suite fuzz-replay

test-py: build ## Python tests, beside a private PostgreSQL (ARGS="-k name")
	python -m tools.beside postgresql mariadb -- pytest $(ARGS)

test-django: build ## Django's own tests on our backends: DB= MODE= LABELS=quick|orm|all|NAMES PARALLEL= FRESH=1
	$(BIN)/python -m tools.test_django $(if $(DB),--db $(DB)) $(if $(MODE),--mode $(MODE)) $(if $(LABELS),--labels "$(LABELS)") \
	    $(if $(PARALLEL),--parallel $(PARALLEL)) $(if $(FRESH),--fresh)

lint: build ## ruff, clang-format, clint, mypy: everything that only reads
	tools/lint.sh

fmt: $(STAMP) ## Format C and Python
	tools/fmt.sh

types: build ## mypy --strict, stubtest of the C module
	tools/types.sh

asan: build ## C and Python tests under AddressSanitizer and UBSan (ARGS="-k name")
	tools/asan.sh $(VENV) build/asan-$(TAG) $(ARGS)

soak: build ## 100,000 requests, half of them aborted, on 1,000 connections: SOAK_REQUESTS= SOAK_CONNECTIONS= SOAK_SEED=
	$(BIN)/python -m tools.soak $(if $(SOAK_REQUESTS),--requests $(SOAK_REQUESTS)) \
	    $(if $(SOAK_CONNECTIONS),--connections $(SOAK_CONNECTIONS)) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

# Without PYTHON= the harness takes 3.13 or 3.12: there is no wheel of every peer for 3.11.
bench: ## Compare with the peers: SCENARIOS= PEERS= DB= ROUNDS= SECONDS= PYTHON= NAME=
	@$(INTERPRETER) -m bench $(if $(SCENARIOS),--scenarios $(SCENARIOS)) $(if $(PEERS),--peers $(PEERS)) \
	    $(if $(DB),--db $(DB)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
	    $(if $(filter-out file,$(origin PYTHON)),--python $(PYTHON)) $(if $(NAME),--name $(NAME))

profile: ## Top functions of our server: SCENARIO= DB= SECONDS= PYTHON= TOOL=perf|callgrind
	@$(INTERPRETER) -m bench.profiling $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(DB),--db $(DB)) \
	    $(if $(SECONDS),--seconds $(SECONDS)) $(if $(TOOL),--tool $(TOOL)) \
	    $(if $(filter-out file,$(origin PYTHON)),--python $(PYTHON))

fuzz: $(STAMP) ## Every fuzz target for FUZZ_SECONDS (60); installs clang when it is missing
	tools/fuzz.sh build/fuzz $(TARGETS)

clean: ## Remove what was built: build/ and every virtual environment
	rm -rf build .venv-*
