# Strowger's front door. `make help` tells what there is.
BUILD  ?= build
PREFIX ?= /usr/local
NINJA   = ninja -C $(BUILD)

.PHONY: all run test tsan conformance bench install clean help build-packages test-packages lint format fuzz san

all: $(BUILD)/build.ninja ## build the program: build/strowger
	@$(NINJA) strowger

$(BUILD)/build.ninja: meson.build meson_options.txt | build-packages
	@meson setup $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

build-packages:
	@scripts/install-packages build

test-packages:
	@scripts/install-packages build test

run: all ## start the example operator, attach phones, show that it works, and end
	@$(BUILD)/strowger up examples/operator.yaml --run

test: test-packages ## run all tests; ends with "N passed, N failed"
	@tests/run

tsan: test-packages ## run the data path's threads beside changes under ThreadSanitizer
	@test -e build-tsan/build.ninja || meson setup build-tsan -Db_sanitize=thread -Db_lundef=false >/dev/null
	@ninja -C build-tsan tests/switch_threads_test
	@build-tsan/tests/switch_threads_test

conformance: test-packages all ## the public OpenFlow 1.3 suite, all of it, against the switch
	@tests/conformance/run.py

bench: test-packages all ## measure throughput and cost, beside a peer where there is one
	@bench/run

lint: test-packages ## clang-format and clang-tidy over all sources
	@scripts/lint

format: ## lay out all C files as .clang-format says
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all ## install to $(PREFIX)
	@meson configure $(BUILD) -Dprefix=$(PREFIX) && meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir "$(abspath $(DESTDIR))")

clean: ## remove what was built
	@rm -rf build build-san build-tsan build-fuzz build.log

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'
