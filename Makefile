# Two commands are enough: `make run` and `make test`. Each sets up what it needs and does so only once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# Wheels only: nothing is compiled, and nothing that is not in the lock file can be fetched.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
INSTALL_LOCKED := $(PIP) install --require-hashes --no-deps --only-binary :all: -r
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) pyproject.toml
BROWSER := chromium chromium-browser google-chrome
REPORT := build/report
SERVERS := redis-server java mvn openssl promtool amtool systemd-analyze
SERVER_PACKAGES := redis-server default-jre-headless maven openssl prometheus prometheus-alertmanager systemd

# One thread a process: the work is small vectors, where a thread pool only gets in the way.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

# $(call debian,PACKAGES,WHAT FOR): installs Debian packages when that is allowed, or says how to.
define debian
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	echo "==> Debian packages for $(2): $(1)"; \
	apt-get update -qq >/dev/null 2>&1 || true; \
	said=$$(DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(1) 2>&1) \
		|| { echo "$$said" >&2; exit 1; }; \
else \
	echo "$(2): a Debian package is missing. Run this, then try again:" >&2; \
	echo "    sudo apt-get install $(1)" >&2; exit 1; \
fi
endef

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' \
		| while IFS=$$'\t' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

.PHONY: run
run: setup-run ## Start the demo shop; ARGS="my-orders.csv" runs your own data instead
	@$(BIN)/streamproc run $(or $(ARGS),--demo) || [ $$? = 130 ]

.PHONY: cluster
cluster: setup-run servers ## Start Kafka, Redis, two workers, a shop that sells and the page, all on this machine
	@$(BIN)/python -m tests.servers.cluster

.PHONY: test
test: setup style types ## Everything that must hold: style, types, contracts, tests, coverage
	@echo "==> tests, with branch coverage of the pure rooms"
	@$(BIN)/pytest -n $(JOBS) --cov --cov-report=term $(ARGS)

.PHONY: lint
lint: setup style types audit ## Style, types, import contracts, dead code, licences and known vulnerabilities
	@echo "==> import contracts, dead code, sizes, licences"
	@$(BIN)/pytest -q tests/ground

.PHONY: sbom
sbom: setup ## Write what the installation is made of, with versions, hashes and licences, to build/sbom.json (CycloneDX)
	@rm -rf build/sbom && $(PYTHON) -m venv --without-pip build/sbom
	@$(PIP) --python build/sbom install --require-hashes --no-deps --only-binary :all: -r requirements.lock
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json build/sbom/bin/python
	@rm -rf build/sbom && echo build/sbom.json

.PHONY: report
report: setup-run ## Write the demo data's record of warnings and the firm at a glance into build/report, in both languages
	@rm -rf $(REPORT) && mkdir -p $(REPORT)
	@$(BIN)/streamproc simulate --customers 1000 --days 730 --seed 7 --out $(REPORT)/shop >/dev/null
	@$(BIN)/streamproc run $(REPORT)/shop/{purchases,complaints,contacts,facts}.jsonl \
		--data $(REPORT)/data --listen off --exit-when-done >/dev/null
	@for lang in en zh-CN; do \
		$(BIN)/streamproc report --data $(REPORT)/data --lang $$lang --out $(REPORT)/firm.$$lang.html; \
		$(BIN)/streamproc record --data $(REPORT)/data --lang $$lang --html $(REPORT)/record.$$lang.html >/dev/null; \
		echo $(REPORT)/record.$$lang.html; \
	done

.PHONY: rules
rules: servers ## Check the alert rules, what makes them fire and what does not, and where alerts go
	@promtool check config deploy/prometheus/prometheus.yml
	@promtool test rules deploy/prometheus/rules_test.yml
	@amtool check-config deploy/alertmanager/alertmanager.yml
	@while read -r receiver labels; do \
		amtool config routes test --config.file deploy/alertmanager/alertmanager.yml \
			--verify.receivers="$$receiver" $$labels 2>/dev/null >&2 \
			|| { echo "an alert with $$labels does not go to $$receiver" >&2; exit 1; }; \
	done < deploy/alertmanager/routes_test.txt

.PHONY: dashboards
dashboards: setup ## Write Grafana's dashboards and the page about metrics anew from their code
	@$(BIN)/python -m deploy.grafana.write
	@$(BIN)/python -m deploy.metrics

.PHONY: bench
bench: setup ## Measure speed, memory and state size: a table, and build/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-cluster
bench-cluster: setup ## The same of a cluster: its parts, its pipeline, beside other engines
	@$(BIN)/python -m tests.bench.reference_job
	@$(BIN)/python -m tests.bench.cluster $(ARGS)

.PHONY: torture
torture: setup ## The cluster under every fault, at length (about an hour): a table; ARGS="--row kills"
	@$(BIN)/python -m tests.torture $(ARGS)

.PHONY: setup
setup: setup-run $(VENV)/.dev browser servers ## Prepare .venv and the Debian packages for running and testing

.PHONY: setup-run
setup-run: $(VENV)/.runtime ## Prepare .venv for running only

.PHONY: format
format: setup ## Format the code and apply the safe fixes
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: lock
lock: setup ## Write the lock files anew from pyproject.toml; UPGRADE=1 takes the newest versions
	@echo "==> requirements.lock, requirements-dev.lock"
	@$(LOCK) --group build --output-file requirements.lock >/dev/null
	@$(LOCK) --group build --group dev --extra parquet --constraints requirements.lock \
		--output-file requirements-dev.lock >/dev/null

.PHONY: clean
clean: ## Remove .venv, caches and build/ (your data folders stay)
	@rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find streamproc tests deploy -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------- the parts of the above

.PHONY: style
style:
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run 'make format'" >&2; exit 1; }

.PHONY: types
types:
	@echo "==> mypy"
	@$(BIN)/mypy

.PHONY: audit
audit: setup
	@echo "==> known vulnerabilities"
	@$(BIN)/python -m tests.audit

.PHONY: browser
browser:
	@for name in $(BROWSER); do command -v $$name >/dev/null && exit 0; done; \
	$(call debian,chromium,the tests of the page)

# What the tests run against: Redis, and Kafka from its jars, which Maven fetches with their checksums.
.PHONY: servers
servers: java-and-redis build/kafka/.complete

.PHONY: java-and-redis
java-and-redis:
	@for name in $(SERVERS); do command -v $$name >/dev/null || missing=1; done; \
	[ -z "$${missing-}" ] || { $(call debian,$(SERVER_PACKAGES),the servers of the tests); }

build/kafka/.complete: tests/servers/pom.xml | java-and-redis
	@echo "==> Apache Kafka from Maven, 45 MB"
	@rm -rf $(@D)
	@mvn -q -B -ntp --strict-checksums -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)
	@touch $@

$(VENV)/.python:
	@echo "==> $(VENV) with $(or $(PYTHON),python3)"
	@"$(or $(PYTHON),python3)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { $(call debian,python3-venv,a virtual environment); }
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.python requirements.lock pyproject.toml
	@echo "==> locked packages for running, about a minute"
	@$(INSTALL_LOCKED) requirements.lock
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "==> locked packages for testing, about a minute"
	@$(INSTALL_LOCKED) requirements-dev.lock
	@touch $@
