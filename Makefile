# Two commands do everything: `make run` and `make test`. The rest are their parts.

.DEFAULT_GOAL := help
.PHONY: help setup build run test lint generate api e2e bench torture watch

CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
PORCHLIGHT := $(CARGO_TARGET_DIR)/release/porchlight

help: ## lists the commands
	@grep -E '^[a-z0-9]+:.*##' Makefile | sed -E 's/^([a-z0-9]+):.*## (.*)/  make \1	\2/' | expand -t 20

setup: ## installs what is missing: the wasm target, npm packages, Chromium
	@bin/setup

build: setup ## builds what browsers load, and the binary with all of it inside
	@echo "==> what browsers load"
	@node frontend/build.mjs
	@echo "==> the server"
	@cargo build --release --package=porchlight-server

run: build ## serves the demo customer's site and Porchlight, and prints their addresses
	@$(PORCHLIGHT) demo

test: build lint ## everything: lint, all tests, end to end in a browser
	@echo "==> tests"
	@if command -v cargo-nextest > /dev/null; then cargo nextest run --workspace --no-fail-fast; else cargo test --workspace --no-fail-fast; fi
	@$(MAKE) --no-print-directory api
	@$(MAKE) --no-print-directory e2e

lint: setup ## formatting, clippy for the server and for the browser, types of the loader, licences and advisories
	@echo "==> lint"
	@test -e frontend/dist/manifest.json || node frontend/build.mjs
	@cargo fmt --all --check
	@cargo clippy --quiet --workspace --all-targets -- --deny warnings
	@cargo clippy --quiet --package=porchlight-widget --target=wasm32-unknown-unknown -- --deny warnings
	@cargo clippy --quiet --package=porchlight-console --target=wasm32-unknown-unknown -- --deny warnings
	@npx tsc --project frontend/loader
	@npx tsc --project end2end
	@bin/deny

generate: ## writes the files that come from tables in the code
	@PORCHLIGHT_GENERATE=1 cargo test --quiet --package=porchlight-domain --test=generated
	@PORCHLIGHT_GENERATE=1 cargo test --quiet --package=porchlight-server --test=server generated

api: ## asks the API for what its description says, right and wrong, and looks at every answer; needs `make build`
	@PORCHLIGHT_BIN=$(PORCHLIGHT) bin/api-check

e2e: ## the end-to-end tests in a browser; needs `make build`
	@echo "==> end to end"
	@PORCHLIGHT_BIN=$(PORCHLIGHT) npx playwright test --config=end2end/playwright.config.ts

bench: build ## prints the figures of docs/benchmarks.md
	@PORCHLIGHT_BIN=$(PORCHLIGHT) node end2end/bench/bench.mjs

torture: build ## the long runs of the property tests, of `kill -9` and of pages that end badly; the seed is printed
	@PROPTEST_CASES=20000 PORCHLIGHT_TORTURE=1 cargo test --release --package=porchlight-domain --package=porchlight-server -- --nocapture
	@PORCHLIGHT_BIN=$(PORCHLIGHT) PORCHLIGHT_TORTURE=1 npx playwright test --config=end2end/playwright.config.ts dependable

watch: setup ## builds and serves the demo again whenever a source changes
	@bin/watch
