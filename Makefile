# The same targets serve people and CI. `make help` explains them.
# Needs Go, Node with npm, and make. Go and npm fetch the rest into their own caches and node_modules.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
BINARY  := bin/ticklane
PACKED  := node_modules/.package-lock.json
# build.mjs writes the manifest last, so its time stands for the whole bundle.
BUNDLE  := public/assets/manifest.json
WEB     := docs/ticklane.v1.proto $(shell find web -type f -not -name '*.test.js' -not -path '*/test/*' -not -path 'web/gen/*' 2>/dev/null)
NPM     := $(shell command -v npm 2>/dev/null)

FUZZTIME    ?= 60s
BENCH       ?= .
BENCHTIME   ?= 1s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

say = @echo '==> $(1)'

.PHONY: help
help: ## Explain every target
	@echo 'make run    serves Ticklane on http://localhost:3000        make test    runs every test'
	@echo
	@awk 'BEGIN { FS = ":.*## " } /^## / { printf "\n%s\n", substr($$0, 4) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Variables: ARGS="--market.rate 5000" (run)  URL=http://… (hey)  LOAD="--conns 200" (load)  FIELD="paced" (field)  BENCH=Append BENCHTIME=3s (bench)  FUZZTIME=5m (fuzz)'

## Use it

.PHONY: run
run: build ## Fetch, build and serve on http://localhost:3000; more flags in ARGS="…"
	@exec $(BINARY) serve --lab.enabled=true $(ARGS)

.PHONY: build
build: assets ## Build bin/ticklane, the browser's files inside it
	$(call say,go build  (the first time fetches the modules: a minute or so))
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o $(BINARY) .

.PHONY: assets
ifeq ($(NPM),)
# The server works without its bundle and says on its page what is missing.
assets:
	@echo 'npm is missing, so the browser code stays unbuilt and the pages will say so.' >&2
	@echo 'Install Node 20 or later (https://nodejs.org, or: apt-get install npm), then run this again.' >&2
else
assets: $(BUNDLE) ## Bundle the browser code, if it changed
endif

$(BUNDLE): $(PACKED) $(WEB)
	$(call say,npm run build  (bundles web/ into public/assets))
	@npm run --silent build && touch $@

$(PACKED): package.json package-lock.json
	$(call say,npm ci  (fetches what package-lock.json names into node_modules))
	@npm ci --no-progress --loglevel=error && touch $@

## Test it

.PHONY: test
test: node compiler browser clients assets ## Run every test, in some ten minutes on two cores, and print the time of each part
	@scripts/test.sh test-go,test-web test-e2e test-bench

.PHONY: test-go
test-go: node compiler assets ## Run the Go tests with the race detector, without those of e2e/ and bench/
	$(call say,go test -race -shuffle=on ./...  (the first time compiles for minutes))
	@CGO_ENABLED=1 go test -race -shuffle=on -timeout 60m $$(go list ./... | grep -v '/e2e$$')

# Built as the server is, so that packages are compiled once for both. make stress runs them with the race detector.
.PHONY: test-e2e
test-e2e: node browser clients assets ## Run the tests that drive a real browser against the real server
	$(call say,go test ./e2e  (with Chromium))
	@CGO_ENABLED=0 go test -trimpath -buildvcs=false -shuffle=on -count=1 -timeout 30m ./e2e

.PHONY: test-web
test-web: node $(PACKED) ## Run the unit tests of the browser code and check its types
	$(call say,npm test)
	@npm test
	$(call say,npm run check  (types))
	@npm run --silent check

.PHONY: test-bench
test-bench: compiler ## Run the tests of bench/, a module of its own (Linux only)
ifeq ($(shell uname -s),Linux)
	$(call say,go test -race -shuffle=on ./...  (in bench/))
	@cd bench && CGO_ENABLED=1 go test -race -shuffle=on -timeout 30m ./...
endif

.PHONY: cover
cover: node compiler browser clients assets ## Tell how much of the Go code the tests reach
	@CGO_ENABLED=1 go test -race -timeout 60m -coverpkg=./... -coverprofile=coverage.out ./... >/dev/null
	@go tool cover -func=coverage.out | tail -1
	@echo 'line by line: go tool cover -html=coverage.out'

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each
	@scripts/fuzz.sh '$(FUZZTIME)'

.PHONY: mutate
mutate: ## List changes of PKG that its tests don't detect (mutation testing, minutes); PKG=./internal/quote
	@scripts/mutate.sh '$(or $(PKG),./internal/quote)'

.PHONY: check
check: node $(PACKED) ## Check formatting, vet, staticcheck, types, file sizes, lock file
	@scripts/check.sh
	$(call say,go vet)
	@go vet ./...
	$(call say,staticcheck)
	@go run $(STATICCHECK) ./...
	$(call say,go vet and staticcheck  (in bench/))
	@cd bench && GOOS=linux go vet ./... && GOOS=linux go run $(STATICCHECK) ./...
	$(call say,npm run check  (types))
	@npm run --silent check

## Measure it

.PHONY: bench
bench: ## Measure speed: BENCH picks benchmarks by name
	@scripts/bench.sh '$(BENCH)' '$(BENCHTIME)'

.PHONY: rendering
rendering: node browser assets ## Measure the dashboard in the browser at 5,000 ticks/s: frames, main thread, memory for ten minutes
	@go test -run '^$$' -bench '^BenchmarkRendering$$' -benchtime 1x -timeout 30m ./e2e
	@go test -run '^$$' -bench '^BenchmarkMemory$$' -benchtime 1x -timeout 30m ./e2e -memory 10m

.PHONY: field
ifneq ($(shell uname -s),Linux)
field:
	@echo 'make field needs Linux: it reads /proc and its clients use epoll. On this system make load compares the lanes.' >&2
	@exit 1
else
field: build compiler ## Measure Ticklane, the usual servers and a baseline, on Linux; FIELD="-rounds 1 paced"
	@cd bench && go build -o ../bin/field . && exec ../bin/field run $(FIELD)
endif

.PHONY: soak
soak: node build ## A server under clients that come, go, are cut and stall; SOAK="30 shard" are minutes and engine
	@scripts/soak.sh $(SOAK)

.PHONY: hey
hey: node $(if $(URL),,build) ## Load a server with hey and explain the figures; URL=… for one that runs already
	@scripts/hey.sh '$(URL)'

.PHONY: pictures
pictures: node browser assets ## Take the pictures of every page and state; the README's goes to docs/
	@go test -count=1 -run '^TestPictures' -v ./e2e -pictures '$(or $(DIR),$(CURDIR)/bin/pictures)'
	@cp '$(or $(DIR),$(CURDIR)/bin/pictures)/dashboard-dark-1440.png' docs/dashboard.png

.PHONY: load
load: build ## Compare lanes and engines under load, in under two minutes; more flags in LOAD="--conns 200 …"
	@$(BINARY) load $(LOAD)

.PHONY: experiments
experiments: node build ## Check the load tester's method with A/A tests and a planted delay, in some 10 minutes
	@scripts/experiments.sh

## Keep it tidy

.PHONY: fmt
fmt: ## Format the Go code
	@gofmt -l -w $$(git ls-files -co --exclude-standard '*.go')

.PHONY: clean
clean: ## Remove what was built or fetched into this folder
	@rm -rf bin node_modules web/gen coverage.out
	@find public/assets -type f ! -name placeholder.txt -delete

# What a step needs on the machine.
.PHONY: node compiler browser clients
node:
	@scripts/need.sh npm
compiler:
	@scripts/need.sh compiler
browser:
	@scripts/need.sh browser
clients:
	@scripts/need.sh clients
