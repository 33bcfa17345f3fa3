# Two commands do everything: `make demo` and `make test`. Each sets up what it needs, once.

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
SEED ?= 1
N ?= 10000
MUTANTS ?= 300

# Some soaks go on where their seed stopped. The others start from the beginning, so without SEED they draw a new one.
ifeq ($(origin SEED),file)
FRESH_SEED := $(shell $(PYTHON) -c "import secrets; print(secrets.randbelow(2**31 - 1) + 1)")
else
FRESH_SEED := $(SEED)
endif

BIN := .venv/bin
NODE_READY := node_modules/.package-lock.json
FORGE := node_modules/.bin/forge

.DEFAULT_GOAL := help
.PHONY: help setup ape whole-way demo test test-contracts test-unit test-integration lint format audit mutants oracles soak-properties soak-contract soak-differential soak-index soak-proof soak-evidence fuzz-evidence bench-gas bench-census bench-index bench-proof bench-tally compile locks clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: .venv/ready $(NODE_READY) ## Install everything that the other targets need.

.venv/ready: locks/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_READY): package.json package-lock.json
	npm ci --no-fund --no-audit --ignore-scripts
	@touch $@

demo: setup ## A whole election on a local chain, then its page on http://127.0.0.1:8000 (ARGS=--exit ends by itself).
	$(BIN)/qballot rehearse examples/city-council/definition.json examples/city-council/ballots.csv --direct 20 --evidence demo-evidence.jsonl $(ARGS)

whole-way: setup ## The four roles' whole way on a local chain, by their own commands.
	examples/whole-way/run.sh

# Sets of strings are in the same order in every run.
test test-unit test-integration soak-properties oracles: export PYTHONHASHSEED := 0

test: setup ## Every test, with the same examples each time (ARGS=…).
	$(BIN)/pytest -n $(WORKERS) $(ARGS)
	$(FORGE) test

test-contracts: setup ## The contracts' own suite.
	$(FORGE) test $(ARGS)

test-unit: setup ## The tests that need no chain and no database.
	$(BIN)/pytest -m unit $(ARGS)

test-integration: setup ## The tests against a real chain and real databases.
	$(BIN)/pytest -m integration -n $(WORKERS) $(ARGS)

lint: setup ## Types, lint and format of Python and Solidity.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(FORGE) fmt --check
	node_modules/.bin/solhint --max-warnings 0 --disc 'contracts/**/*.sol'

format: setup ## Format Python and Solidity.
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(FORGE) fmt

soak-properties: setup ## The property tests with a fresh seed, N examples where the suite tries 100 (N=… SEED=… ARGS=…).
	@echo "make $@ SEED=$(FRESH_SEED) N=$(N)"
	EXAMPLES=$(N) $(BIN)/pytest -q -m hypothesis --hypothesis-seed=$(FRESH_SEED) -n $(WORKERS) $(ARGS)

soak-contract: setup ## The contracts' fuzz and invariant tests with a fresh seed, 10,000 runs of 128 calls (SEED=…).
	@echo "make $@ SEED=$(FRESH_SEED)"
	FOUNDRY_PROFILE=soak $(FORGE) test --fuzz-seed $(FRESH_SEED)

soak-differential: setup ## Random elections against contracts and model (N=… SEED=…); goes on where it stopped.
	$(BIN)/python tests/contracts/soak_differential.py $(N) $(SEED)

APE_BIN := .venv-ape/bin
# ape finds the compiler where py-solc-x keeps its own, and anvil on PATH.
APE = SOLCX_BINARY_PATH=$(CURDIR)/.venv-ape/solcx \
	PATH="$$(echo $(CURDIR)/node_modules/@foundry-rs/anvil-*/bin):$$PATH" $(APE_BIN)/ape

# Of its own, since ape holds libraries back, the build tool's too: the sources are put on its path.
.venv-ape/ready: locks/ape.txt
	$(PYTHON) -m venv .venv-ape
	$(APE_BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/ape.txt
	$(APE_BIN)/python -c "import site; open(site.getsitepackages()[0] + '/qballot.pth', 'w').write('$(CURDIR)')"
	mkdir -p .venv-ape/solcx
	ln -sf ../../scripts/solc.mjs .venv-ape/solcx/solc-v0.8.37
	@touch $@

# ape leaves copies of all libraries among our sources, where forge and slither would take them for ours.
APE_COPIES := contracts/.cache

ape: .venv-ape/ready $(NODE_READY) ## The contracts under ape: compile, then test on its own network and on anvil.
	$(APE) compile
	$(APE) test -q
	$(APE) test -q --network ethereum:local:foundry tests/with_ape/test_ape_contracts.py
	rm -rf $(APE_COPIES)

mutants: setup ## Does the contracts' suite notice mistakes? Kept patches and a sample of systematic ones (MUTANTS=… SEED=…).
	$(BIN)/python tests/contracts/mutants/run.py --seed $(SEED) --sample $(MUTANTS) --jobs $(WORKERS)

.venv-oracles/ready: locks/oracles.txt
	$(PYTHON) -m venv .venv-oracles
	.venv-oracles/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/oracles.txt
	@touch $@

# The counts that are made a second time, by another way, in the suite itself.
SECOND_COUNTS = second_counts or ballot_by_ballot or wins_in_every_order or who_can_win or published_protocol

oracles: setup .venv-oracles/ready ## Our counts beside those of other libraries and second ones of our own, N random elections a test (N=… SEED=… ARGS=…).
	@echo "make $@ SEED=$(FRESH_SEED) N=$(N)"
	EXAMPLES=$(N) .venv-oracles/bin/pytest tests/oracles -q --hypothesis-seed=$(FRESH_SEED) $(ARGS)
	EXAMPLES=$(N) $(BIN)/pytest -q --hypothesis-seed=$(FRESH_SEED) $(addprefix tests/unit/test_tally_,second_counts.py stv.py irv.py cardinal.py) -k "$(SECOND_COUNTS)"

AUDIT_ENV = PATH="$(CURDIR)/.venv-audit/bin:$(CURDIR)/node_modules/.bin:$$PATH" \
	FOUNDRY_SOLC="$(CURDIR)/scripts/solc.mjs" FOUNDRY_OFFLINE=true

.venv-audit/ready: locks/audit.txt
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/audit.txt
	@touch $@

audit: setup .venv-audit/ready ## slither, and halmos's proofs of records, batches, multiproofs, hash chain and window.
	rm -rf $(APE_COPIES)
	$(AUDIT_ENV) FOUNDRY_OUT=.build/slither/out FOUNDRY_CACHE_PATH=.build/slither/cache slither .
	$(AUDIT_ENV) FOUNDRY_PROFILE=halmos FOUNDRY_OUT=.build/halmos/out FOUNDRY_CACHE_PATH=.build/halmos/cache halmos \
		--forge-build-out .build/halmos/out --match-contract 'Symbolic$$' --default-bytes-lengths 0,1,8,32,64

bench-gas: setup ## What a vote costs, now and under Amsterdam, beside OpenZeppelin's Governor (ARGS=--keep keeps the figures, --sheet-sizes).
	$(BIN)/python bench/gas/run.py $(ARGS)

bench-census: setup ## A census of a million voters, beside the bare hashes that it needs.
	$(BIN)/python bench/census/run.py $(ARGS)

bench-index: setup ## Whole chains read into SQLite and PostgreSQL, beside a bare loop; the first run builds the chains, in some 7 minutes.
	PYTHONPATH=tests $(BIN)/python bench/indexer/run.py $(ARGS)

bench-tally: setup .venv-oracles/ready ## A million ballots grouped, counted and added to, beside other libraries (ARGS=40 stops each after 40 s).
	$(BIN)/python bench/tally/run.py $(ARGS)

bench-proof: setup ## Verifying proofs, and bundles of 100,000 and 1,000,000 ballots, with the share of each step.
	$(BIN)/python bench/proof/run.py

soak-index: setup ## Chains that reorganise, indexers that are killed, on both databases (N=… SEED=…); goes on where it stopped.
	$(BIN)/python tests/integration/faults/soak_index.py $(N) $(SEED)

soak-proof: setup ## Endpoints that lie, alone and beside an honest one, and honest ones (N=… SEED=…); goes on where it stopped.
	$(BIN)/python tests/integration/proof/soak_proof.py $(N) $(SEED)

soak-evidence: setup ## Changed evidence and receipts against the verifier (N=… SEED=…); goes on where it stopped.
	$(BIN)/python tests/unit/proof/soak_evidence.py $(N) $(SEED)

.venv-fuzz/ready: locks/runtime.txt locks/fuzz.txt
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/runtime.txt -r locks/fuzz.txt
	@touch $@

fuzz-evidence: .venv-fuzz/ready ## atheris on every parser of evidence, a minute (SEED=… ARGS=-max_total_time=…).
	@echo "make $@ SEED=$(FRESH_SEED)"
	mkdir -p .build/fuzz-evidence
	PYTHONPATH=$(CURDIR) .venv-fuzz/bin/python tests/unit/proof/fuzz_evidence.py .build/fuzz-evidence -max_len=16384 -max_total_time=60 -seed=$(FRESH_SEED) $(ARGS)

compile: setup ## Compile the contracts into the artifacts that the package carries.
	$(BIN)/qballot compile

locks: ## Resolve the dependencies anew (needs uv).
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o locks/runtime.txt
	uv pip compile pyproject.toml --extra dev -c locks/runtime.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o locks/dev.txt
	uv pip compile locks/oracles.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o locks/oracles.txt

clean: ## Remove what the other targets made.
	rm -rf .venv .venv-ape .venv-audit .venv-fuzz .venv-oracles node_modules .build .pytest_cache .mypy_cache .ruff_cache .hypothesis
