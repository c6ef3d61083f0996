# Two commands do all set-up by themselves: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test check bench format lock peers clean

help:
	@echo "make demo     calls out and in, the nominal SBC lost three ways, over BVPN and over the internet (no root)"
	@echo "make test     the quality gates and every test; installs missing Debian peers where it may"
	@echo "make check    the quality gates alone: format, lint, types, floors, dead code"
	@echo "make bench    the IPBX beside Sippy, TLS beside UDP, media workers beside rtpengine; plan, check, memory"
	@echo "make format   formats the code and mends what the linter can"
	@echo "make lock     renews the lock files (needs uv)"
	@echo "make clean    removes what the other commands made"

demo:
	@$(PYTHON) tools/setup.py run
	@$(BIN)/trunkline demo examples/bvpn.yaml examples/internet-a.yaml

test: peers
	@$(PYTHON) tools/setup.py dev
	@$(PYTHON) tools/setup.py sslyze
	@$(BIN)/python tools/verify.py test

check:
	@$(PYTHON) tools/setup.py dev
	@$(BIN)/python tools/verify.py check

bench: peers
	@$(PYTHON) tools/setup.py dev
	@$(PYTHON) tools/setup.py bench
	@PYTHONPATH=tools $(BIN)/python -m bench

peers:
	@$(PYTHON) tools/packages.py

format:
	@$(PYTHON) tools/setup.py dev
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

lock:
	@$(PYTHON) tools/lock.py

clean:
	@rm -rf .venv .venv-bench .venv-sslyze .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage build
