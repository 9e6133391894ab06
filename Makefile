SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZ_SECONDS ?= 60
TEST_TIMEOUT ?= 30m
# SQLite is C that was translated to Go. The race detector's look into it took three quarters of the time of tests, and is not
# what they are for; how we use it is looked at as ever.
RACE := -race -gcflags='modernc.org/...=-race=false -d=checkptr=0'

.PHONY: build test deps fmt vet lint race fuzz bench clean

## build: the program, as bin/linkstead
build:
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/linkstead ./cmd/linkstead

## test: everything that must hold; installs what it needs first
test: deps fmt vet lint race fuzz

## deps: what the tests need beyond Go
deps:
	.ci/deps

fmt:
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted; run gofmt -w on:"; echo "$$files"; exit 1; fi

vet:
	go vet ./...

lint:
	.ci/golangci-lint run ./...

## race: the tests, stories and Chromium among them; those that fail every step in turn take a sample of the steps under the
## race detector, and every one without it
race:
	go test $(RACE) -parallel 4 -timeout $(TEST_TIMEOUT) ./...
	go test -timeout $(TEST_TIMEOUT) ./archive/warc

## fuzz: every fuzz target for a moment, FUZZ_SECONDS in all; as long as you like by FUZZ_SECONDS=3600
fuzz:
	.ci/fuzz $(FUZZ_SECONDS)

## bench: the whole program against wget, and the packages' own benchmarks
bench: deps
	go test -run '^$$' -bench . -benchmem -timeout $(TEST_TIMEOUT) ./...

clean:
	rm -rf bin coverage.out
