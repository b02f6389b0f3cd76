# `make` alone says what there is. Every target makes what it needs first.
PYTHON := .venv/bin/python
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Our own tools only: the pinned ones, whatever the caller's PATH or configuration say.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: help setup demo check check-lint check-unit test lint images unit integration hardening molecule e2e many-hosts soak lives crash cutovers kills bench fleet fleet-down clean format options build

help: ## this list
	@printf 'Greenlight: hardened droplets, and releases that drop no request.\n\n'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: system packages (root or sudo) and .venv
	@scripts/bootstrap

demo: setup ## the main job for real, on the dev fleet; ends with a table
	@$(PYTHON) -m dev.demo

check: setup ## before every commit, in under a minute: ruff, mypy, yamllint, the fast unit tests
	@$(PYTHON) -m scripts.stages check-unit=50+check-lint=50

check-lint: setup
	@$(PYTHON) -m scripts.lint ruff yamllint mypy

check-unit: setup
	@$(PYTHON) -m pytest tests/unit -m "not slow" $(args)

# Each part runs even when one before it failed; the exit code says whether all passed. Behind each is how many seconds
# it may take, on a machine of two cores as fast as scripts/stages.py says.
test: setup ## all tests: unit, integration, hardening, a part of the crash matrix, e2e, molecule
	@$(PYTHON) -m scripts.stages unit=250+images=300 e2e=2700+hardening=3000 integration=1500+molecule=600,crash=500,many-hosts=400

lint: setup ## all static checks (one: make lint only=mypy)
	@$(PYTHON) -m scripts.lint $(only)

images: setup ## the images of the tests' droplets: minutes the first time, and after a change of set-up
	@$(PYTHON) -m dev.fleet up --droplets 0
	@$(PYTHON) -m dev.fleet droplet up first --from set-up
	@$(PYTHON) -m dev.fleet droplet down first

unit: setup ## unit tests: a few seconds, needs nothing
	@$(PYTHON) -m pytest tests/unit $(args)

integration: setup ## modules against a real Docker engine and a real HAProxy
	@$(PYTHON) -m pytest tests/integration $(args)

hardening: setup ## a droplet attacked, scanned, audited, and its owner locked out on purpose
	@$(PYTHON) -m pytest tests/hardening $(args)

molecule: setup ## a bare droplet is set up; a release, a refusal, a rollback
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(PYTHON) -m molecule test --all $(args)

# What waits for leases to end takes minutes for each moment: `make kills`.
e2e: setup ## the dev fleet under load
	@$(PYTHON) -m pytest tests/e2e --ignore=tests/e2e/test_ended_controllers.py $(args)

many-hosts: setup ## twelve light hosts of which two are served at a time
	@$(PYTHON) -m pytest tests/many_hosts $(args)

soak: setup ## the long runs: 2,000 random lives, the whole crash matrix, 200 cutovers under load, 90 ended controllers
	@GREENLIGHT_CRASH=all $(PYTHON) -m scripts.stages lives crash cutovers kills

lives: setup ## random lives of a droplet in memory, other ones each time
	@GREENLIGHT_LIVES=$${GREENLIGHT_LIVES:-2000} $(PYTHON) -m pytest tests/unit/release/test_model.py $(args)

crash: setup ## processes killed and power cut between any two effects of a release
	@$(PYTHON) -m pytest tests/crash $(args)

cutovers: setup ## two hundred cutovers in a row under load
	@$(PYTHON) -m pytest tests/soak $(args)

kills: setup ## the controller of a release is ended at thirty moments by each of three signals
	@GREENLIGHT_KILLS=$${GREENLIGHT_KILLS:-30} $(PYTHON) -m pytest tests/e2e/test_ended_controllers.py $(args)

bench: setup ## measure against what people use today; writes docs/benchmarks.md (args="release --rounds 3")
	@$(PYTHON) -m tests.bench $(args)

fleet: setup ## start the dev fleet: two droplets, a load balancer, a registry
	@$(PYTHON) -m dev.fleet up

fleet-down: setup ## stop the dev fleet, keep its images
	@$(PYTHON) -m dev.fleet down

options: setup ## rewrite what follows from scripts/options.yml, where each option of a release stands
	@$(PYTHON) -m scripts.options $(args)

format: setup ## rewrite Python files in the project's format
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

build: setup ## the collection as greenlight-droplet-<version>.tar.gz
	@.venv/bin/ansible-galaxy collection build --force

clean: ## remove the dev fleet, its images, .venv and every cache
	@if [ -d .fleet ]; then scripts/bootstrap; $(PYTHON) -m dev.fleet clean; fi
	@rm -rf .venv .ansible .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/output
	@rm -f greenlight-droplet-*.tar.gz
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
