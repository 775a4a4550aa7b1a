# `make run` and `make test` do everything; `make` lists the rest. ARGS="..." passes flags on.
PYTHON ?= python3
KILLS ?= 50
SEEDS ?= 20
MINUTES ?= 20
HOURS ?= 2
DAY_HOURS ?= 24
CASES ?= 2000
LIVES ?= 1000
PAYLOADS ?= 1000000
BOOTSTRAP = exec $(PYTHON) scripts/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help setup run test sandbox cli coverage lint format types contract tidy check \
        simulate test-system test-clients chaos soak planted lost-acks evaluate fuzz replay-day \
        bench docs lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## set up .venv only
	@$(BOOTSTRAP) setup $(ARGS)

run: ## set everything up, then run the daemon (ARGS="--speed 10 --for 60s")
	@$(BOOTSTRAP) run $(ARGS)

test: ## set everything up, then run every test (ARGS="tests/unit -x")
	@$(BOOTSTRAP) test $(ARGS)

sandbox: ## the sandbox exchange alone (ARGS="--port 8900")
	@$(BOOTSTRAP) sandbox $(ARGS)

cli: ## any command of the program (ARGS="status")
	@$(BOOTSTRAP) cli $(ARGS)

coverage: ## the tests with branch coverage, also as htmlcov/
	@$(BOOTSTRAP) coverage $(ARGS)

lint: ## ruff, rules and format
	@$(BOOTSTRAP) lint $(ARGS)

format: ## put format and simple findings right
	@$(BOOTSTRAP) format $(ARGS)

types: ## mypy --strict
	@$(BOOTSTRAP) types $(ARGS)

contract: ## the import contract
	@$(BOOTSTRAP) contract $(ARGS)

tidy: ## the house rules
	@$(BOOTSTRAP) tidy $(ARGS)

check: lint types contract tidy ## every gate but the tests

simulate: ## the daemon with faults on virtual time (SEEDS=20 MINUTES=20; SEED=n replays one)
	@$(BOOTSTRAP) simulate --minutes $(MINUTES) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(ARGS)

test-system: ## the whole daemon, and what needs system programs: installs them, never skips
	@$(BOOTSTRAP) test-system $(ARGS)

test-clients: ## other people's Kraken programs on our sandbox (sets up .venv-clients)
	@$(BOOTSTRAP) test-clients $(ARGS)

chaos: ## kill daemon, sandbox and database again and again (KILLS=50)
	@$(BOOTSTRAP) chaos --kills $(KILLS) $(ARGS)

soak: ## hours of trading with faults: nothing may grow (HOURS=2)
	@$(BOOTSTRAP) soak --hours $(HOURS) $(ARGS)

planted: ## every planted bug must be caught (ARGS=--search: by chance, --record: keep seeds)
	@$(BOOTSTRAP) planted $(ARGS)

lost-acks: ## lose the acknowledgements of many orders on virtual time (CASES=2000)
	@$(BOOTSTRAP) lost-acks --cases $(CASES) $(ARGS)

fuzz: ## hostile answers of a model by the million (PAYLOADS=1000000; ARGS="--seed 1 --number 7")
	@$(BOOTSTRAP) fuzz --payloads $(PAYLOADS) $(ARGS)

evaluate: ## judge the scorecard by planted truths: no skill, an edge, look-ahead (LIVES=1000)
	@$(BOOTSTRAP) evaluate --lives $(LIVES) $(ARGS)

replay-day: ## record a simulated day and make all of it again from the journal (DAY_HOURS=24)
	@$(BOOTSTRAP) replay-day --hours $(DAY_HOURS) $(ARGS)

bench: ## every benchmark beside its peers (ARGS="book rows"; sets up .venv-bench)
	@$(BOOTSTRAP) bench $(ARGS)

docs: ## write docs/reference and docs/RELIABILITY.md anew from the code
	@$(BOOTSTRAP) docs $(ARGS)

lock: ## resolve requirements/*.txt anew (ARGS=--upgrade for newer versions)
	@$(BOOTSTRAP) lock $(ARGS)

clean: ## remove what the tools made, .venv too
	rm -rf .venv .venv-clients .venv-bench .coverage htmlcov .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
