# SPDX-License-Identifier: GPL-2.0-only
#
# Airlock. "make help" says what can be made; everything made is in build/.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:

CC := gcc
CFLAGS := -O2 -g -std=gnu11 -Wall -Wextra -Werror
CCACHE := $(shell command -v ccache)

# Says what it does in a line; "make V=1" shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-8s %s\n')
COMPILE = $(CCACHE) $(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

PROTOCOLS := control ring storage

.PHONY: help
## help: this list (the default)
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: setup
## setup: get the Debian 12 packages used here; only what is missing, no questions
setup:
	@tests/setup.sh

.PHONY: all
## all: the compiler and everything it generates
all: airspec generate

# ---- the specification compiler ----

COMPILER := $(patsubst %.c,build/%.o,$(wildcard validate/compiler/*.c))

.PHONY: airspec
## airspec: the specification compiler, build/airspec
airspec: build/airspec

build/airspec: $(COMPILER)
	@$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) -o $@ $^

build/validate/compiler/%.o: validate/compiler/%.c
	@mkdir -p $(@D)
	@$(say) CC $<
	$(Q)$(COMPILE)

build/validate/compiler/%.o: CPPFLAGS := -D_GNU_SOURCE

# ---- what it generates ----

.PHONY: generate
## generate: validators, tables, vectors, dissectors, ... of each protocol, build/gen/
generate: $(PROTOCOLS:%=build/gen/%.h)

# One run writes all files of a protocol.
GENERATED := %.h %.c %_tables.c %_layout.h %_glue.c %_vectors.c %_mutator.c %_acsl.c \
	%.dict %.lua %.pcap %.expect %.md

$(GENERATED:%=build/gen/%): validate/spec/%.spec build/airspec
	@mkdir -p $(@D)
	@$(say) AIRSPEC $<
	$(Q)build/airspec build -o $(@D) $<

# ---- fuzzing ----

FUZZ_CC := clang
FUZZ_CFLAGS := -O1 -g -std=gnu11 -Wall -Wextra -Werror -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
FUZZ_SECONDS := 20

build/fuzz/compiler: $(patsubst %.c,build/sanitized/%.o,fuzz/compiler.c \
	$(filter-out %/main.c,$(wildcard validate/compiler/*.c)))
	@mkdir -p $(@D)
	@$(say) LINK $@
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^

build/sanitized/%.o: CC = $(FUZZ_CC)
build/sanitized/%.o: CFLAGS = $(FUZZ_CFLAGS)
build/sanitized/%.o: CPPFLAGS = -D_GNU_SOURCE -Ivalidate/compiler
build/sanitized/%.o: %.c
	@mkdir -p $(@D)
	@$(say) CC $< '(sanitized)'
	$(Q)$(COMPILE)

# ---- tests ----

# ---- tests ----

.PHONY: demo
## demo: a minute's tour: specifications compiled, honest and hostile messages judged
demo: setup
	@$(MAKE) --silent airspec
	@tests/demo.sh

.PHONY: clean
## clean: remove what was made (unpacked kernel headers stay)
clean:
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name headers -exec rm -rf {} +

-include $(shell [ ! -d build ] || find build -path build/headers -prune -o -name '*.d' -print)
