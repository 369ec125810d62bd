# One recipe per job, for people, hooks and CI alike. Needs Python 3.11+ (with venv) and make.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := lambda_src
READY := $(VENV)/.ready node_modules/.ready

.DEFAULT_GOAL := help

$(VENV)/.ready: requirements-dev.txt
	@echo "Setting up Python packages and Node in $(VENV) (about 2 minutes, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --progress-bar on --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.ready: package-lock.json $(VENV)/.ready
	@echo "Setting up the CDK CLI and the IAM simulator in node_modules (seconds, once)"
	@npm ci --no-audit --no-fund --loglevel error
	@touch $@
