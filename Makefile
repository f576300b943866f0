# The first Python that the project supports; `make env PYTHON=...` overrides.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' \
	2>/dev/null && { echo $$p; exit; }; done; echo python3)

.PHONY: env lint format test docs demo

env:  ## sets up .venv; takes seconds when it is up to date
	@$(PYTHON) requirements/setup_env.py

lint: env  ## checks for faults, order of imports and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

format: env  ## mends the faults that ruff can mend
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

test: env  ## runs all tests, two at a time; some: `make test ARGS='-k name'`
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest tests -n 2 --dist loadfile \
		$(ARGS)

docs: env  ## builds the site in site/; fails on a broken link
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build
	@echo "to open in a browser: site/index.html"

DEMO := work_dirs/demo/demo

demo: env  ## compares plain and adapted on generated data
	@test -d data/city2foggy || \
		.venv/bin/python tools/dataset_converters/city2foggy.py
	.venv/bin/python benchmarks/adaptation.py demo --seeds 0 --jobs 2 \
		--methods source-only style --out work_dirs/demo
	.venv/bin/python tools/analysis/compare_detections.py \
		data/city2foggy/annotations/target_test.json \
		data/city2foggy/target_test \
		$(DEMO)/source-only/seed0/detections.bbox.json \
		$(DEMO)/style/seed0/detections.bbox.json --num 3 \
		--titles 'plain source-only' "augmented, in the fog's colours" \
		--out $(DEMO)/compare.png
	.venv/bin/python tools/analysis/report.py $(DEMO)/source-only \
		$(DEMO)/style --out $(DEMO)/report.html
	@echo "table: $(DEMO)/table.md   picture: $(DEMO)/compare.png"
	@echo "more, to open in a browser: $(DEMO)/report.html"
