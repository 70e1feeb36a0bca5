# make run, make test: each sets up what it needs on a fresh Debian 12 machine, system packages included.
PYTHON ?= python3
export PYTHON

.PHONY: help run test check format demo drag-test kill-test fuzz attack-list api-test kill-server bench package package-test clean

help:
	@echo "make run           set everything up and open the window"
	@echo "make test          set everything up and run the tests"
	@echo "make check         ruff and mypy"
	@echo "make format        ruff puts the source into its form and mends what it can"
	@echo "make demo          play the tour without a display; screenshots and a summary in demo-output/"
	@echo "make drag-test     a real drag from a file manager into the window, under Xvfb and openbox"
	@echo "make kill-test     kill -9 while storing, 100 rounds"
	@echo "make kill-server   kill -9 of a server's workers and of its database while 16 clients store"
	@echo "make fuzz          every parser of untrusted bytes, 5 minutes each, two at a time"
	@echo "make attack-list   play every attack of a malicious server; a table of what came of each"
	@echo "make api-test      thousands of generated requests to every route of the API"
	@echo "make bench         speed, as ratios measured in one run"
	@echo "make package       build what people download, into dist/"
	@echo "make package-test  install, upgrade and remove it in a bare Debian root (as root)"
	@echo "make clean         remove everything that make made"

run:
	@scripts/setup run
	@.venv/bin/python main.py

# tests start hundreds of programs: compiled modules are kept also where the environment says not to keep any
test:
	@scripts/setup test
	PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/.venv/pycache" .venv/bin/python -m pytest -q -n auto --dist loadfile

check:
	@scripts/setup test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format:
	@scripts/setup test
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

demo:
	@scripts/setup demo
	.venv/bin/python -m scripts.demo

drag-test:
	@scripts/setup test
	.venv/bin/python -m scripts.drag_test

kill-test:
	@scripts/setup run
	.venv/bin/python -m benchmarks.kill_storage --rounds 100
	.venv/bin/python -m benchmarks.kill_vault --rounds 100
	.venv/bin/python -m benchmarks.kill_program --rounds 100

fuzz:
	@scripts/setup test
	.venv/bin/python -m tests.fuzz

attack-list:
	@scripts/setup test
	@.venv/bin/python -m tests.malicious_server

api-test:
	@scripts/setup test
	.venv/bin/python -m scripts.api_test

kill-server:
	@scripts/setup test
	.venv/bin/python -m benchmarks.kill_server

bench:
	@scripts/setup demo
	.venv/bin/python -m benchmarks

package:
	@scripts/setup package
	.venv-package/bin/python -m scripts.package

package-test:
	@scripts/setup package
	.venv-package/bin/python -m scripts.package.bare_root

clean:
	rm -rf .venv .venv-package .uv build dist demo-output .hypothesis .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
