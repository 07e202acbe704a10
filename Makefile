# make run       build, fill an empty store with the demo catalogue, serve on http://127.0.0.1:3000
# make test      everything that CI runs: lint, race detector, RabbitMQ and MongoDB's double included; installs what it needs
# make bench     measure it against a shop on PostgreSQL, side by side: docs/benchmarks/report.md; QUICK=1 for a first look
# make cluster   three members of one shop on this machine, http://127.0.0.1:3001 to 3003
# make failover  the same, and one of them is killed under load; draws what its buyers saw
# make chaos     three members under load and faults, again and again: make chaos RUNS=200 SEED=1
# make fuzz      look for requests that the front end answers with a 5xx

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN     := bin/queuecommerce
GO      := go

.PHONY: run build test lint setup bench cluster failover chaos fuzz generate

build:
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) .

run: build
	@deploy/setup/broker.sh
	@LOG_LEVEL=warn $(BIN) seed --if-empty
	@exec $(BIN) serve

# What the tests need and Go does not bring: a RabbitMQ, and Java for MongoDB's double where there is no MongoDB.
setup:
	@deploy/setup/rabbitmq.sh install
	@deploy/setup/mongo.sh

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck -checks inherit,-S1016 ./... # S1016: an event is not its command, even if their fields agree

test: setup lint
	$(GO) test -race -timeout 14m ./...
	$(GO) test -timeout 5m ./cluster # several members in one process: the library itself races there
	cd deploy/bench && $(GO) vet ./... && $(GO) test -timeout 5m ./... # a module of its own

# BENCH takes further flags, which deploy/bench/README.md explains: make bench BENCH="-parts compare -pairs 3"
bench: build
	@deploy/bench/run.sh $(BIN) $(VERSION) $(if $(QUICK),-quick) $(if $(PAIRS),-pairs $(PAIRS)) $(if $(STORED),-stored $(STORED)) $(BENCH)

cluster: build
	@deploy/cluster/start.sh $(BIN)

failover: build
	@deploy/cluster/start.sh $(BIN) deploy/cluster/failover.sh $(BIN)

# CHAOS takes further flags: make chaos CHAOS="-chaos.faults kill,freeze", or CHAOS="-run ." for the scenarios and mutants too.
RUNS ?= 200
SEED ?= 1
chaos: setup
	$(GO) test ./chaos -count=1 -timeout 0 -v -run TestFaults -chaos.long -chaos.runs $(RUNS) -chaos.seed $(SEED) -chaos.duration 20s $(CHAOS)

fuzz:
	$(GO) test ./httpapi -run '^$$' -fuzz FuzzRequests -fuzztime 60s

generate:
	$(GO) generate ./messages
