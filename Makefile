# `make` lists what there is. Everything works from a clean clone; a second run does only what is missing.

.DEFAULT_GOAL := help
.PHONY: help setup build run test services services-stop bench lint format openapi clean
MAKEFLAGS += --no-print-directory

step := @scripts/step.sh
step_with_its_words := @VERBOSE=1 scripts/step.sh
martlet := .build/release/martlet

help: ## list the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-22s%s\n", $$1, $$2 }'

setup: ## install what running needs: system libraries, the files of the /docs page
	$(step_with_its_words) "Checking what running needs" scripts/setup.sh run

build: setup ## build the release binary, .build/release/martlet
	$(step) "Building the release binary (some minutes the first time)" swift build -c release --product martlet

run: build ## build, then serve http://127.0.0.1:8080; on SQLite in ./var unless DATABASE_URL says otherwise (ARGS="--port 9000")
	@exec $(martlet) serve $(ARGS)

test: ## run every test, on SQLite and on a PostgreSQL of its own (FILTER=Name runs those that match)
	$(step_with_its_words) "Checking what the tests need" scripts/setup.sh test
	$(step) "Building the tests (some minutes the first time)" swift build --build-tests
	@echo '==> Testing (make test FILTER=Name runs some of them)'
	@scripts/with-services.sh scripts/test.sh $(FILTER)

services: ## start a PostgreSQL and a Redis for development, in var/services
	$(step_with_its_words) "Checking what the services need" scripts/setup.sh services
	@scripts/services.sh start
	@echo 'PostgreSQL and Redis run. Their URLs, with passwords, are in var/services/env:'
	@grep _URL= var/services/env
	@echo 'To use PostgreSQL:'
	@echo '  . var/services/env && DATABASE_URL=$$MARTLET_TEST_POSTGRES_URL make run'
	@echo 'make services-stop stops both; the data stays.'

services-stop: ## stop them; the data stays
	@scripts/services.sh stop

bench: ## measure the release binary with wrk and write var/bench.json (ARGS="--only find")
	$(step_with_its_words) "Checking what the benchmark needs" scripts/setup.sh bench
	$(step) "Building the release binary (some minutes the first time)" swift build -c release --product martlet
	@python3 Benchmarks/bench.py $(ARGS)

lint: ## check layout and scripts
	$(step_with_its_words) "Checking what linting needs" scripts/setup.sh lint
	$(step) "Linting" scripts/lint.sh

format: ## rewrite Swift files in the project's layout
	$(step) "Formatting" swift format --in-place --parallel --recursive Sources Tests

openapi: ## regenerate the files made from the code: docs/openapi.json, docs/permissions.md, docs/configuration.md, .env.example
	$(step) "Building" swift build --product martlet
	$(step) "Writing docs/openapi.json, docs/permissions.md, docs/configuration.md and .env.example" scripts/generate.sh

clean: ## remove build products; data in var/ stays
	$(step) "Removing build products" swift package clean
