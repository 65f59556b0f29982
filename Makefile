# Every task of the repository; `make help` lists them.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# A make inside another would name folders in what it prints, such as the exports of `make env`.
MAKEFLAGS += --no-print-directory
PYTHON := .venv/bin/python
SAM := .venv/bin/sam
READY := .venv/.ready
CHECKS := .local/checks/.ready
# A package for this machine's interpreter, or for containers of this machine.
PACKAGE_FOR := $(if $(filter docker,$(ENGINE)),container,local)
BUILD := .aws-sam/build/.ready-$(PACKAGE_FOR)
PORT ?= 3000
# What serves the API: sam (the unmodified `sam local start-api`) or gateway (the emulator itself).
FRONT ?= sam

# Bytecode is what makes the second start quick; a shell that forbids it would slow every run of sam.
unexport PYTHONDONTWRITEBYTECODE
export SAM_CLI_TELEMETRY := 0
# SAM's own builders look for python3.13 and pip there.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# What the emulator's sentences tell a person to run.
export SAM_EMULATOR_COMMAND := make
# Nobody's home is needed: what sam keeps is the checkout's, and what uv keeps, when the home cannot be written.
export __SAM_CLI_APP_DIR := $(CURDIR)/.local/sam
ifeq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo writable),)
export UV_CACHE_DIR := $(CURDIR)/.local/uv
endif
# uv trusts the certificates that the machine trusts, as pip does: an index behind a company's proxy answers too.
export UV_SYSTEM_CERTS := true

##@ Run

.PHONY: start
start: $(BUILD) ## Build, start the emulated backing services and sam local start-api (PORT=3000, FRONT=gateway)
	@exec $(PYTHON) -m emulator start --port $(PORT) --front $(FRONT)

.PHONY: invoke
invoke: $(BUILD) ## Run sam local invoke: FUNCTION=InventoryFunction EVENT=events/inventory/get_item.json
	@exec $(PYTHON) -m emulator invoke "$(FUNCTION)" "$(EVENT)"

.PHONY: event
event: $(READY) ## Write a fixture for a route: ROUTE="GET /orders" (BODY='{"sku": "A"}')
	@exec $(PYTHON) -m tools.event "$(ROUTE)" $(if $(BODY),--body '$(BODY)')

.PHONY: new
new: $(READY) ## Add a function that answers a route: FUNCTION=Orders ROUTE="GET /orders"
	@exec $(PYTHON) -m tools.new_function "$(FUNCTION)" "$(ROUTE)"

.PHONY: up down status report reset
up: $(BUILD) ## Start the emulated backing services, the engine and the gateway in the background
	@exec $(PYTHON) -m emulator up
down: $(READY) ## Stop what `make up` started
	@exec $(PYTHON) -m emulator down
status: $(READY) ## Say what runs where
	@exec $(PYTHON) -m emulator status
report: $(READY) ## Say what functions and routes did since the start, what it took and would cost (ARGS=--json)
	@exec $(PYTHON) -m emulator report $(ARGS)
reset: $(READY) ## Bring the sample data back
	@exec $(PYTHON) -m emulator reset

.PHONY: fault
fault: $(READY) ## Make a backing service fail: SERVICE=redis FAULT=refuse (stall, slow:MS, error:STATUS, none)
	@exec $(PYTHON) -m emulator fault "$(SERVICE)" "$(FAULT)"

FIXTURES ?= events/recorded
.PHONY: record replay
record: $(READY) ## Record what passes the gateway as fixtures until Ctrl-C (FIXTURES=events/recorded)
	@exec $(PYTHON) -m emulator record "$(FIXTURES)"
replay: $(BUILD) ## Send recorded fixtures again, show what differs, fail if something does (FIXTURES, SECRETS='x-api-key=...')
	@exec $(PYTHON) -m emulator replay "$(FIXTURES)"

.PHONY: index
index: $(READY) ## Fill a real Elasticsearch with the catalogue: ES_URL=https://... (key in ES_API_KEY)
	@PYTHONPATH=shopbot_function exec $(PYTHON) -m shopping_bot.search.index --catalog sample_data/catalog.json \
		--url "$(ES_URL)" $(if $(ES_API_KEY),--api-key-env ES_API_KEY)

.PHONY: env
env: $(READY) ## Print exports, so that plain sam, aws and pytest work: eval "$$(make env)" (FUNCTION=InventoryFunction)
	@exec $(PYTHON) -m emulator env "$(FUNCTION)"

##@ Build and check

.PHONY: setup
setup: $(READY) ## Create .venv and install everything that is locked

$(READY): tools/setup.sh tools/uv.txt pyproject.toml uv.lock inventory_function/requirements.txt shopbot_function/requirements.txt emulator/engine/requirements.txt emulator/aws/requirements.txt
	@tools/setup.sh
	@touch $@

.PHONY: build
build: $(READY) ## Run sam build for this machine
	@PACKAGE_FOR=$(PACKAGE_FOR) exec $(PYTHON) -m tools.build $(BUILD)

# Sources are not named here: the emulator copies them into the build as they change.
$(BUILD): $(READY) template.yaml samconfig.toml tools/package_function.py tools/declared_function.py
	@PACKAGE_FOR=$(PACKAGE_FOR) exec $(PYTHON) -m tools.build $@ $^

# What SAM's makefile builder calls for each function.
build-%:
	@$(PYTHON) -m tools.package_function $* "$(ARTIFACTS_DIR)"

# The whole suite runs in several processes, a file of tests in one of them; what ARGS selects runs in one.
TESTS := $(or $(ARGS),--numprocesses=auto --dist=loadfile --no-loadscope-reorder)

.PHONY: test
test: $(BUILD) $(CHECKS) ## Run the whole suite, or a part: ARGS=tests/unit
	@exec $(PYTHON) -m pytest $(TESTS)

.PHONY: coverage
coverage: $(BUILD) $(CHECKS) ## Run the suite and show which branches of the functions and of the engine it never takes
	@rm -rf .local/coverage
	@$(PYTHON) -m coverage run -m pytest $(TESTS); status=$$?; \
	$(PYTHON) -m coverage combine --quiet && $(PYTHON) -m coverage html --quiet && $(PYTHON) -m coverage report && \
	exit $$status

.PHONY: lint
lint: $(READY) ## Check format, lint, types and who imports whom
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@PYTHONPATH=inventory_function:shopbot_function .venv/bin/lint-imports --no-logo --cache-dir .local/imports >.local/imports.log || { cat .local/imports.log >&2; exit 1; }
	@.venv/bin/mypy

.PHONY: format
format: $(READY) ## Format and mend what can be mended
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

.PHONY: validate
validate: $(CHECKS) ## Check template, bootstrap and workflows as AWS, GitHub and their linters would
	@tools/validate.sh

.PHONY: openapi
openapi: $(READY) ## Write the inventory's OpenAPI document anew; BREAKING=yes although it breaks clients
	@$(PYTHON) -m pipeline.released_openapi --write $(if $(BREAKING),--breaking)

$(CHECKS): tools/setup.sh pyproject.toml uv.lock | $(READY)
	@tools/setup.sh checks
	@touch $@

##@ Deploy

.PHONY: bootstrap
bootstrap: $(READY) ## Once for each stage, by an administrator: STAGE=staging REPOSITORY=ORG/REPO (PARAMETERS="VpcId=vpc-...")
	@test -n "$(STAGE)" && test -n "$(REPOSITORY)" || { echo "bootstrap: say STAGE=staging REPOSITORY=ORG/REPO." >&2; exit 1; }
	@$(SAM) deploy --config-env bootstrap --stack-name "shop-bootstrap-$(STAGE)" \
		--parameter-overrides Stage="$(STAGE)" Repository="$(REPOSITORY)" $(PARAMETERS)

.PHONY: package
package: $(READY) ## Build for Lambda: one package for every stage
	@$(SAM) build --config-env staging
	@git rev-parse HEAD >.aws-sam/deployment/commit # what a deployment compares with the commit that is deployed

.PHONY: sbom
sbom: $(READY) ## Write what each package contains as CycloneDX: .aws-sam/sbom/*.cdx.json
	@$(PYTHON) -m tools.sbom .aws-sam/sbom

.PHONY: deploy release
deploy: package ## Build for Lambda and deploy to a stage: STAGE=staging (or prod, or dev-NAME)
	@$(PYTHON) -m pipeline deploy "$(STAGE)" $(if $(OLDER),--older)
release: $(READY) ## Deploy the package that is there: STAGE=staging (or prod); OLDER=yes for an older commit
	@$(PYTHON) -m pipeline deploy "$(STAGE)" $(if $(OLDER),--older)

.PHONY: preview
preview: package ## Show what a deployment would change, change nothing: STAGE=staging (or prod)
	@$(PYTHON) -m pipeline preview "$(STAGE)"

.PHONY: drift
drift: $(READY) ## Show what was changed by hand in a stage: STAGE=staging (or prod)
	@$(PYTHON) -m pipeline drift "$(STAGE)"

.PHONY: restore
restore: $(READY) ## Restore the table of a stage beside it: STAGE=prod TIME=2026-11-26T12:00:00Z
	@$(PYTHON) -m pipeline restore "$(STAGE)" --time "$(TIME)"

.PHONY: adopt
adopt: $(READY) ## Take what a lost stack left into a new one: STAGE=prod (RESOURCES="ShopInventory=NAME ..." after 90 days)
	@$(PYTHON) -m pipeline adopt "$(STAGE)" --resources "$(RESOURCES)"

.PHONY: sync remove
sync: $(READY) ## Upload what is saved to a stack of one's own, until Ctrl-C: STAGE=dev-NAME
	@exec $(PYTHON) -m pipeline sync "$(STAGE)"
remove: $(READY) ## Remove a stack of one's own, with all that is in it: STAGE=dev-NAME
	@exec $(PYTHON) -m pipeline remove "$(STAGE)"

.PHONY: verify
verify: $(READY) ## Check a deployed stage end to end, with its own key: STAGE=staging (or prod)
	@$(PYTHON) -m pipeline verify "$(STAGE)"

.PHONY: rollback
rollback: $(READY) ## Deploy the release before this one again, all traffic at once: STAGE=staging (or prod)
	@$(PYTHON) -m pipeline rollback "$(STAGE)"

.PHONY: smoke
smoke: $(READY) ## Check a deployment end to end: URL=https://... (a key for writes in INVENTORY_API_KEY)
	@exec $(PYTHON) -m pipeline.smoke "$(URL)"

.PHONY: rehearse
rehearse: $(READY) ## Deploy to an emulated CloudFormation: create, use, change, fail, delete (ARGS=--verbose)
	@exec $(PYTHON) -m pipeline.rehearsal $(ARGS)

##@ Measure and maintain

.PHONY: bench
bench: $(BUILD) ## Measure start-up, latency and throughput
	@exec $(PYTHON) -m benchmarks

.PHONY: lock
lock: ## Resolve and pin everything anew
	@tools/lock.sh

.PHONY: help
help: ## List the tasks
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {gsub(/\$$\$$/, "$$"); printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
