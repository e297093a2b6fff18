# CI runs the same targets as people do; make help lists them. They need Go, Node with npm, and make. Go and npm
# download the rest into their caches and node_modules.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
BINARY  := bin/ticklane
PACKED  := node_modules/.package-lock.json
# build.mjs writes the manifest last, so its time is that of the whole bundle.
BUNDLE  := public/assets/manifest.json
WEB     := docs/ticklane.v1.proto docs/cluster.md docs/proxies.md $(shell find web -type f -not -name '*.test.js' -not -path '*/test/*' -not -path 'web/gen/*' 2>/dev/null)
NPM     := $(shell command -v npm 2>/dev/null)

FUZZTIME    ?= 60s
BENCH       ?= .
BENCHTIME   ?= 1s
LINTER      := bin/golangci-lint-v2.15.0
CYCLONEDX   := bin/cyclonedx-gomod-v1.10.0
GOVULNCHECK := bin/govulncheck-v1.9.0
NATS        := bin/nats-server

say = @echo '==> $(1)'

.PHONY: help
help: ## List the targets
	@echo 'make run    serves Ticklane on http://localhost:3000        make test    runs every test'
	@echo
	@awk 'BEGIN { FS = ":.*## " } /^## / { printf "\n%s\n", substr($$0, 4) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Variables: ARGS="--market.rate 5000" (run)  URL=http://… (hey)  LOAD="--conns 200" (load)  FIELD="paced" (field)  STORM="-clients 2000" (storm)  ROLLING="-clients 2500" (rolling)  BENCH=Append BENCHTIME=3s (bench)  FUZZTIME=5m (fuzz)  SEED=7 (stress)  PKG=./internal/quote (mutate)  CASES=writer-kill (cluster)  SOAK="30 shard" (soak)  DIR=… (pictures)'

## Use it

.PHONY: run
run: build ## Build and serve on http://localhost:3000; more flags in ARGS="…"
	@exec $(BINARY) serve --lab.enabled=true $(ARGS)

.PHONY: build
build: assets ## Build bin/ticklane, which contains the browser code
	$(call say,go build  (the first time downloads the modules))
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o $(BINARY) .

.PHONY: assets
ifeq ($(NPM),)
# Without its bundle the server works, and its pages explain what is missing.
assets:
	@echo 'npm is missing: the browser code is not built, and the pages will only explain how to build it.' >&2
	@echo 'Install Node 20 or later (https://nodejs.org, or: apt-get install npm), then run this again.' >&2
else
assets: $(BUNDLE) ## Bundle the browser code into public/assets
endif

$(BUNDLE): $(PACKED) $(WEB)
	$(call say,npm run build  (bundles web/ into public/assets))
	@npm run --silent build && touch $@

$(PACKED): package.json package-lock.json
	$(call say,npm ci  (installs package-lock.json into node_modules))
	@npm ci --no-progress --loglevel=error && touch $@

## Test it

# make check runs go vet, so the tests do not.
.PHONY: test
test: node compiler browser firefox clients assets ## Run every test: Go with the race detector, browser code, real browsers; prints the time of each part
	@scripts/test.sh test-go,test-web test-e2e,test-bench

.PHONY: test-go
test-go: node compiler assets ## Run the Go tests with the race detector, without those of e2e/ and bench/
	$(call say,go test -race -shuffle=on ./...  (the first time compiles for minutes))
	@CGO_ENABLED=1 go test -race -vet=off -shuffle=on -timeout 60m $$(go list ./... | grep -v '/e2e$$')

# Built as the server is, so that packages are compiled once for both. make stress runs them with the race detector.
.PHONY: test-e2e
test-e2e: node browser firefox clients assets ## Run the tests that drive real browsers against the real server
	$(call say,go test ./e2e  (with Chromium and Firefox))
	@CGO_ENABLED=0 go test -trimpath -buildvcs=false -vet=off -shuffle=on -count=1 -timeout 30m ./e2e

.PHONY: test-web
test-web: node $(PACKED) ## Run the unit tests of the browser code
	$(call say,npm test)
	@npm test

.PHONY: test-bench
test-bench: compiler ## Run the tests of bench/, a separate module (Linux only)
ifeq ($(shell uname -s),Linux)
	$(call say,go test -race -shuffle=on ./...  (in bench/))
	@cd bench && CGO_ENABLED=1 go test -race -vet=off -shuffle=on -timeout 30m ./...
endif

.PHONY: test-proxies
test-proxies: node browser proxies assets ## Test deploy/proxies with each proxy, in some seven minutes; QUIET=20s PROXY=nginx shorten it
	$(call say,go test -tags proxies ./deploy/proxies  (with real proxies))
	@CGO_ENABLED=0 go test -tags proxies -trimpath -buildvcs=false -count=1 -parallel 6 -timeout 30m -v -run 'TestProxies/$(PROXY)' ./deploy/proxies -quiet '$(or $(QUIET),5m)'

.PHONY: cluster
ifneq ($(shell uname -s),Linux)
cluster:
	@echo 'make cluster needs Linux: it gives each part of a cluster a network namespace.' >&2
	@exit 1
else
cluster: browser haproxy strace build $(NATS) ## Make the parts of a cluster fail one after the other under load, on Linux, in some six minutes; CASES=writer,nats-all
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/cluster ./cluster
	@exec bin/cluster -cases '$(CASES)'
endif

.PHONY: stress
stress: node compiler browser firefox clients build ## Run long random searches and tests of the machine's speed, an hour or more; SEED=7 repeats a run
	@scripts/stress.sh '$(FUZZTIME)' $(SEED)

.PHONY: cover
cover: compiler assets ## Report how much of the Go code its tests cover, with both engines
	@CGO_ENABLED=1 go test -race -count=1 -timeout 60m -coverprofile=coverage.out \
	  -coverpkg="$$(go list ./... | grep -vE '/e2e$$|/testkit|/wiretest$$' | paste -sd,)" $$(go list ./... | grep -v '/e2e$$') \
	  | { grep -vE '^ok|coverage: [0-9.]+% of statements|no test files' || true; }
	@go tool cover -func=coverage.out | tail -1
	@echo 'line by line: go tool cover -html=coverage.out'

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each
	@scripts/fuzz.sh '$(FUZZTIME)'

.PHONY: mutate
mutate: ## List changes of PKG that its tests don't detect (mutation testing, minutes); PKG=./internal/quote
	@scripts/mutate.sh '$(or $(PKG),./internal/quote)'

.PHONY: check
check: node $(PACKED) $(LINTER) ## Check formatting, linters, types, file sizes, lock file and commit subjects
	@scripts/check.sh
	$(call say,go vet  (for Linux, macOS and Windows))
	@for os in linux darwin windows; do GOOS=$$os go vet ./... || exit 1; done
	@GOOS=linux go vet -tags proxies ./deploy/proxies
	@cd bench && GOOS=linux go vet ./...
	$(call say,golangci-lint run)
	@$(LINTER) run ./...
	@cd bench && GOOS=linux ../$(LINTER) run ./...
	$(call say,npm run lint)
	@npm run --silent lint
	$(call say,npm run check  (types))
	@npm run --silent check

$(LINTER):
	$(call say,go install golangci-lint  (compiles for minutes, once))
	@GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(subst bin/golangci-lint-,,$@)
	@mv bin/golangci-lint $@

## Measure it

.PHONY: bench
bench: ## Measure speed: BENCH picks benchmarks by name
	@scripts/bench.sh '$(BENCH)' '$(BENCHTIME)'

.PHONY: rendering
rendering: node browser assets ## Measure the dashboard in Chromium at 5,000 ticks/s: first quote, frames, main thread, memory over ten minutes
	@go test -run '^$$' -bench '^(BenchmarkFirstQuote|BenchmarkRendering)$$' -benchtime 1x -timeout 30m ./e2e
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

.PHONY: storm
ifneq ($(shell uname -s),Linux)
storm:
	@echo 'make storm needs Linux: it reads /proc and its clients use epoll. On this system bin/ticklane load --drill storm cuts clients.' >&2
	@exit 1
else
storm: build compiler ## Measure reconnect storms, on Linux; STORM="-clients 2000 -engine shard -compress gzip -cases connect,kill"
	@cd bench && go build -o ../bin/field . && exec ../bin/field storm $(STORM)
endif

.PHONY: rolling
ifneq ($(shell uname -s),Linux)
rolling:
	@echo 'make rolling needs Linux: it reads /proc and its clients use epoll.' >&2
	@exit 1
else
rolling: build compiler haproxy $(NATS) ## Measure a rolling restart of three servers on NATS behind HAProxy, on Linux; ROLLING="-clients 2500"
	@cd bench && go build -o ../bin/field . && exec ../bin/field rolling $(ROLLING)
endif

# The version is that of go.mod.
$(NATS): go.mod
	@CGO_ENABLED=0 go build -trimpath -o $@ github.com/nats-io/nats-server/v2

.PHONY: soak
soak: node build ## Run a server with clients that connect, disconnect and stall; SOAK="30 shard" sets minutes and engine
	@scripts/soak.sh $(SOAK)

.PHONY: hey
hey: node $(if $(URL),,build) ## Load a server with hey and explain the figures; URL=… for a running server
	@scripts/hey.sh '$(URL)'

.PHONY: pictures
pictures: node browser firefox assets ## Take screenshots of every page and state, for the README too
	@go test -count=1 -run '^(TestScenes|TestFirefox)' -v ./e2e -pictures '$(or $(DIR),$(CURDIR)/bin/pictures)'
	@cp '$(or $(DIR),$(CURDIR)/bin/pictures)/dashboard-dark-1440.png' docs/dashboard.png

.PHONY: load
load: build ## Compare lanes and engines under load, in under two minutes; more flags in LOAD="--conns 200 …"
	@$(BINARY) load $(LOAD)

.PHONY: lighthouse
lighthouse: node browser build ## Audit the pages with Lighthouse, phone and desktop, in some three minutes; PAGES="/ /compare"
	@node scripts/lighthouse.mjs $(PAGES)

.PHONY: experiments
experiments: node build ## Check the load tester's method with A/A tests and an injected delay, in some ten minutes
	@scripts/experiments.sh

## Ship it

.PHONY: image
image: ## Build the container image ticklane:VERSION with docker, podman or buildah
	@scripts/image.sh '$(VERSION)'

.PHONY: licenses
licenses: node $(PACKED) ## List the parts of the binary with their licences; texts go to bin/THIRD_PARTY_LICENSES.txt
	@mkdir -p bin && go run ./scripts/licenses -out bin/THIRD_PARTY_LICENSES.txt

.PHONY: sbom
sbom: build $(CYCLONEDX) ## Write the bills of materials (CycloneDX) of the binary and of its browser code to bin/sbom
	@mkdir -p bin/sbom
	@$(CYCLONEDX) bin -json -std -version '$(VERSION)' -output bin/sbom/ticklane.cdx.json $(BINARY)
	@npm sbom --sbom-format cyclonedx --sbom-type application --omit dev --package-lock-only >bin/sbom/browser.cdx.json
	@ls bin/sbom/*.cdx.json

.PHONY: vulncheck
vulncheck: node $(PACKED) assets $(GOVULNCHECK) ## Look for known vulnerabilities, where the databases of Go and npm can be reached
	@scripts/vulncheck.sh $(GOVULNCHECK)

.PHONY: reproducible
reproducible: node $(PACKED) ## Build the binary twice in different surroundings and compare, in some minutes
	@scripts/reproducible.sh '$(VERSION)'

.PHONY: check-deploy
check-deploy: node build ## Build, run and check all of deploy/ and the release's files, on Linux as root, in some ten minutes
	@scripts/check-deploy.sh '$(VERSION)'

$(CYCLONEDX):
	@GOBIN=$(CURDIR)/bin go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(subst bin/cyclonedx-gomod-,,$@)
	@mv bin/cyclonedx-gomod $@

$(GOVULNCHECK):
	@GOBIN=$(CURDIR)/bin go install golang.org/x/vuln/cmd/govulncheck@$(subst bin/govulncheck-,,$@)
	@mv bin/govulncheck $@

## Keep it tidy

.PHONY: fmt
fmt: ## Format the Go code
	@gofmt -l -w $$(git ls-files -co --exclude-standard '*.go')

.PHONY: clean
clean: ## Remove what was built or installed in this folder
	@rm -rf bin node_modules web/gen coverage.out
	@find public/assets -type f ! -name placeholder.txt -delete

# Programs that a step needs. As root on Debian or Ubuntu they are installed.
.PHONY: node compiler browser firefox clients proxies haproxy strace
node:
	@scripts/need.sh npm
compiler:
	@scripts/need.sh compiler
browser:
	@scripts/need.sh browser
firefox:
	@scripts/need.sh firefox
clients:
	@scripts/need.sh clients
proxies:
	@scripts/need.sh proxies
haproxy:
	@scripts/need.sh haproxy
strace:
	@scripts/need.sh strace
