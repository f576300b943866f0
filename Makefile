# The first Python that the project supports; `make env PYTHON=...` overrides.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' \
	2>/dev/null && { echo $$p; exit; }; done; echo python3)

.PHONY: env test demo

env:  ## the environment in .venv; seconds when it is up to date
	@$(PYTHON) requirements/setup_env.py

test: env  ## all tests; `make test ARGS='-k name'` for some
	.venv/bin/python -m pytest tests $(ARGS)

demo: env
	.venv/bin/python tools/demo.py $(ARGS)
