# Edge Admin. `make help` lists the targets.
.PHONY: help run test test-browser test-appliance test-roots test-sudo test-shells test-long soak mutate fuzz audit check lint types shell quick build demo bench bench-nodes quick-nodes dist install clean api deps tools
.NOTPARALLEL:
SHELL = /bin/sh
PREFIX ?= /usr
ETCDIR ?= /etc
SYSCONFDIR ?= /usr/local/etc
ROOT ?= /opt/jidoteki/tinyadmin
DATADIR ?= /data
STATEDIR ?= /var/lib/edge-admin
SERVER_USER ?=
PORT ?= 8443
FAKES ?=
FUZZ ?= 10
SEED ?=
BIN = node_modules/.bin
SCRIPTS = $(wildcard scripts/*.sh test/replay/*.sh) scripts/edge-admin install.sh $(wildcard test/harness/*.sh test/bench/*.sh test/fakes/original/*.sh) .ci/run \
	$(wildcard test/roots/*.sh test/appliance/*.sh test/appliance/*/*.sh) test/appliance/guest/initrd
# They make the bundle and, of what is in it, NOTICE and sbom.json.
BUILDERS = $(wildcard build/*.ts build/*/*.js)
# What these test lies close to Node itself: HTTP and TLS, keys, streams, files, processes.
NODE_TESTS = bundle back-off bodies buffered-log config handle jwt mount package port-http port-sockets query ranges run self-signed \
	served-certificate text upload
VERSION = $(shell node -p 'require("./package.json").version')
# What the files in the archive say about their age: not when they were packed, so that the same sources give the same archive.
SOURCE_DATE_EPOCH ?= 1767225600

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

run: ## serve a sample appliance from ./var on https://127.0.0.1:8443 (PORT=9443 for another port, FAKES=1 for storage without ZFS)
	@sh test/harness/tools.sh run
	@$(MAKE) -s build
	@exec env PORT='$(PORT)' FAKES='$(FAKES)' sh test/harness/run-sample.sh

test: tools build ## everything that must be green: lint, types, shellcheck, all tests
	@$(MAKE) --no-print-directory lint types shell || { echo '0 passed, 1 failed'; exit 1; }
	@$(BIN)/vitest run --reporter=default --reporter=./test/harness/reporter.ts

test-appliance: tools build ## the packaged product and the storage tests, in virtual machines with a real ZFS, Samba, NFS and iSCSI
	@test/appliance/rig.sh

test-browser: build ## the console, driven in Debian's Chromium on an appliance with storage on fakes; screenshots in test/browser/screenshots
	@sh test/harness/tools.sh browser
	@$(BIN)/vitest run --config test/browser/browser.config.ts --reporter=default --reporter=./test/harness/reporter.ts

test-roots: tools dist ## the archive installed and driven in a Debian 12 and a BusyBox-only root, and in the original's place
	@test/roots/rig.sh

test-sudo: tools build ## the packaged product with "privilege": "sudo" on a kernel that guards sticky folders, in a virtual machine
	@test/appliance/rig.sh --long

test-shells: tools build ## every test of the scripts in dash and in busybox ash: in make test they take turns
	@SHELLS=all $(BIN)/vitest run test/scripts --reporter=default --reporter=./test/harness/reporter.ts

test-long: test-roots test-sudo test-shells soak mutate ## what takes hours, by hand: the roots, sudo, the scripts in both shells, an hour of mixed load, then slips made in the source

soak: tools build ## an hour of mixed load: memory, descriptors and folders before, during and after (SOAK=10 for ten minutes)
	@$(BIN)/tsx test/long/soak.ts

mutate: tools build ## make slips in src/{auth,http,store,tasks,drivers}, and count those that a test notices (COUNT=120, SEED=1, ONLY=src/auth or src/auth/jwt.ts:12)
	@COUNT='$(COUNT)' SEED='$(SEED)' ONLY='$(ONLY)' $(BIN)/tsx test/mutation/main.ts

fuzz: tools build ## the generated tests, ten times as many and never the same (FUZZ=20, SEED=1 to choose)
	@seed='$(SEED)' && : "$${seed:=$$(od -An -N4 -td4 /dev/urandom | tr -d ' ')}" && \
		echo "make fuzz FUZZ=$(FUZZ) SEED=$$seed" && \
		FUZZ='$(FUZZ)' SEED="$$seed" $(BIN)/vitest run $$(grep -lrE 'fast-check|harness/fuzz' test --include='*.test.ts')

check: build ## a minute: types, lint, the tests that start no program
	@$(MAKE) --no-print-directory lint types shell quick

lint: node_modules/.installed
	@$(BIN)/biome check .
	@test/harness/subjects.sh

types: node_modules/.installed
	@$(BIN)/tsc
	@$(BIN)/tsc -p src/page

shell:
	@shellcheck -x -P SCRIPTDIR $(SCRIPTS)

quick: node_modules/.installed
	@$(BIN)/vitest run --project pure --project quick

build: dist/edge-admin.js ## the program in dist/lib, and dist/edge-admin.js, which starts it; `npx edge-admin` does as well

dist/edge-admin.js: $(shell find src scripts -type f) package.json node_modules/.installed $(BUILDERS) $(wildcard LICENSE etc/eff-*)
	@$(BIN)/tsx build/build.ts
	@ln -sfn ../../scripts/edge-admin $(BIN)/edge-admin

node_modules/.installed: package-lock.json package.json .npmrc
	@npm ci --no-progress --loglevel=error
	@touch $@

tools:
	@sh test/harness/tools.sh test

demo: ## drive a throw-away appliance through the whole main job with curl
	@sh test/harness/tools.sh run
	@$(MAKE) -s build
	@sh test/harness/demo.sh

bench: tools build ## measure, against bare node servers, openssl and tar
	@$(BIN)/tsx test/bench/main.ts

bench-nodes: tools build ## the start alone, on Node 20, 22 and 24
	@test/bench/nodes.sh $(BIN)/tsx test/bench/main.ts start

quick-nodes: build ## the built program, and what newer Nodes may do differently, on Node 22 and 24
	@test/bench/nodes.sh --others node node_modules/vitest/vitest.mjs run $(NODE_TESTS:%=test/unit/%.test.ts)

api: node_modules/.installed ## accept the OpenAPI document as it is now (golden copy)
	@UPDATE=1 $(BIN)/vitest run test/unit/openapi.test.ts

deps: node_modules/.installed ## write deps.txt: every package that is shipped
	@npm ls --omit=dev --all --loglevel=error | sed '1s/ .*//' >deps.txt

audit: node_modules/.installed ## ask the registry for known faults in what is shipped
	@$(BIN)/tsx test/harness/audit.ts

dist: build ## dist/edge-admin-VERSION.tar.gz: bundle, scripts, etc, manuals, install.sh; no node_modules
	@rm -rf dist/stage && mkdir -p dist/stage/edge-admin-$(VERSION)
	@cp -R scripts etc docs install.sh README.md CHANGELOG.md $(wildcard LICENSE) dist/edge-admin.js dist/lib dist/package.json dist/console dist/NOTICE dist/sbom.json \
		dist/stage/edge-admin-$(VERSION)
	@chmod -R u=rwX,go=rX dist/stage
	@LC_ALL=C tar -C dist/stage --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --format=ustar \
		-cf - edge-admin-$(VERSION) | gzip -9n >dist/edge-admin-$(VERSION).tar.gz.new
	@mv dist/edge-admin-$(VERSION).tar.gz.new dist/edge-admin-$(VERSION).tar.gz
	@rm -rf dist/stage
	@echo dist/edge-admin-$(VERSION).tar.gz

install: build ## lay everything into DESTDIR= (PREFIX=, ETCDIR=, SYSCONFDIR=, ROOT=, DATADIR=, STATEDIR=, SERVER_USER=)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' ETCDIR='$(ETCDIR)' SYSCONFDIR='$(SYSCONFDIR)' ROOT='$(ROOT)' \
		DATADIR='$(DATADIR)' STATEDIR='$(STATEDIR)' SERVER_USER='$(SERVER_USER)' sh install.sh

clean: ## remove what was built (not ./var, not node_modules)
	@rm -rf dist coverage
