# What one does with this repository. `make` alone lists it.

# Where cargo builds; klatchd lies in its release folder.
BUILD := $(or $(CARGO_TARGET_DIR),target)
# Arguments: make run ARGS="--set log.level=debug", make bench ARGS="rate --rate 500"
ARGS ?=
# The node that the web GUI is built with; and its tests: types, parts, and the whole in Chromium
# against the klatchd of this build.
WITH_NODE := ../scripts/with-node
WEB_TESTS = cd web && $(WITH_NODE) npm run --silent check && $(WITH_NODE) npm run --silent test && \
	$(WITH_NODE) npm run --silent test:browser
# How long each fuzz target runs.
FUZZ_SECONDS ?= 60

# Of the programs that cargo built, the browser tests take these.
export KLATCH_BIN := $(abspath $(BUILD))/debug

.DEFAULT_GOAL := help
.PHONY: help run web test test-lua test-web test-systemd deb screenshots check bench fuzz ci

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build server, web GUI and client, start the server (ARGS="..." go to it)
	scripts/install-dependencies
	@$(MAKE) --no-print-directory web || \
	  echo "The web GUI cannot be built here, for the reason above: klatchd is built without it."
	cargo build --release --locked --bins
	$(BUILD)/release/klatchd $(ARGS)

web: ## Build the web GUI, which the next build of klatchd takes in
	scripts/install-dependencies web
	cd web && { [ node_modules/.package-lock.json -nt package-lock.json ] || $(WITH_NODE) npm ci; }
	cd web && $(WITH_NODE) npm run --silent build

# The browser tests come before the last step, so that the last line tells of all others.
test: web ## Run the whole test suite
	scripts/install-dependencies test
	cargo test --locked --doc
	cargo build --locked --bins
	$(WEB_TESTS)
	cargo test --locked --lib --bins --tests

test-lua: ## Run the tests of the Lua client alone (they are part of test)
	scripts/install-dependencies test
	cargo test --locked --test it lua::

test-systemd: ## Boot a real systemd in a container, and live with the package there (as root)
	scripts/install-dependencies systemd
	scripts/package debug
	scripts/systemd-root "$(abspath $(BUILD))/systemd-root"
	tests/systemd/run $(BUILD)/debian/klatch.deb "$(abspath $(BUILD))/systemd-root"

deb: web ## Build the Debian package with the web GUI in it, checked by lintian
	scripts/install-dependencies deb
	scripts/package

test-web: web ## Run the tests of the web GUI alone (they are part of test)
	scripts/install-dependencies test
	cargo build --locked --bins
	$(WEB_TESTS)

screenshots: web ## Take pictures of every view of the web GUI, into web/screenshots
	scripts/install-dependencies test
	cargo build --locked --bins
	cd web && $(WITH_NODE) npm run --silent screenshots

check: ## Run the fast part, before each commit
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --lib

bench: ## Measure what the README's table shows, in under ten minutes (ARGS="..." go to klatch-bench)
	scripts/install-dependencies
	cargo bench --locked --bench klatch -- $(or $(ARGS),table)

fuzz: ## Fuzz each target for FUZZ_SECONDS (60)
	scripts/install-dependencies fuzz
	scripts/fuzz $(FUZZ_SECONDS)

ci: ## Run all that must hold before a change lands
	.ci/run
