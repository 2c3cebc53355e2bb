# What one does with this repository. `make` alone lists it.

# Where cargo builds; klatchd lies in its release folder.
BUILD := $(or $(CARGO_TARGET_DIR),target)
# Arguments for klatchd: make run ARGS="--set log.level=debug"
ARGS ?=
# How long each fuzz target runs.
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help run web test test-lua test-web screenshots check bench fuzz ci

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build server and client, start the server (ARGS="..." go to it)
	scripts/install-dependencies
	cargo build --release --locked --bins
	$(BUILD)/release/klatchd $(ARGS)

web: ## Build the web GUI, which the next build of klatchd takes in
	scripts/install-dependencies web
	cd web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci; }
	cd web && npm run --silent build

# The examples in the docs come first, so that the last line tells of the tests.
test: ## Run the whole test suite
	scripts/install-dependencies test
	cargo test --locked --doc
	cargo test --locked --lib --bins --tests

test-lua: ## Run the tests of the Lua client alone (they are part of test)
	scripts/install-dependencies test
	cargo test --locked --test it lua::

test-web: web ## Test the web GUI: its parts, and the whole in Chromium against a klatchd
	cargo build --locked --bins
	cd web && npm run --silent check && npm run --silent test
	cd web && KLATCH_BIN="$(abspath $(BUILD))/debug" npm run --silent test:browser

screenshots: web ## Take pictures of every view of the web GUI, into web/screenshots
	cargo build --locked --bins
	cd web && KLATCH_BIN="$(abspath $(BUILD))/debug" npm run --silent screenshots

check: ## Run the fast part, before each commit
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --lib

bench: ## Run the benchmarks
	scripts/install-dependencies
	cargo bench --locked

fuzz: ## Fuzz each target for FUZZ_SECONDS (60)
	scripts/install-dependencies fuzz
	scripts/fuzz $(FUZZ_SECONDS)

ci: ## Run all that must hold before a change lands
	.ci/run
