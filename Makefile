# SPDX-License-Identifier: GPL-2.0-only
#
# Airlock. "make help" says what can be made; everything made is in build/.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:

CCACHE := $(if $(shell command -v ccache),ccache)
CC := gcc
CFLAGS := -O2 -g -std=gnu11 -Wall -Wextra -Werror

PROTOCOLS := $(patsubst validate/spec/%.spec,%,$(wildcard validate/spec/*.spec))

.PHONY: help
## help: this list (the default)
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: setup
## setup: install the Debian 12 packages used here (asks nothing; only what is missing)
setup:
	@tests/setup.sh

.PHONY: all airspec generate
## all: the compiler and everything it generates
all: airspec generate

# ---- the specification compiler ----

AIRSPEC_OBJECTS := $(patsubst validate/compiler/%.c,build/compiler/%.o,\
	$(wildcard validate/compiler/*.c))

## airspec: the specification compiler, build/airspec
airspec: build/airspec

build/airspec: $(AIRSPEC_OBJECTS)
	$(CC) $(CFLAGS) -o $@ $^

build/compiler/%.o: validate/compiler/%.c | build/compiler
	$(CCACHE) $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# ---- what it generates ----

GENERATED := $(PROTOCOLS:%=build/gen/%.h)

## generate: validators, tables, vectors, dissectors, ... of every protocol, in build/gen
generate: $(GENERATED)

# One run makes all files of a protocol; the header stands for them all.
build/gen/%.h build/gen/%.c &: validate/spec/%.spec build/airspec | build/gen
	build/airspec build -o build/gen $<

build build/compiler build/gen:
	@mkdir -p $@

-include $(wildcard build/*/*.d)
