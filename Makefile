# SPDX-License-Identifier: GPL-2.0-only
#
# Airlock. "make help" says what can be made; everything made is in build/.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDARY:

PROTOCOLS := control ring storage
# Specifications of shapes the protocols do not have, for tests.
SHAPES := sends moments

# Random inputs on which generated C and interpreter must agree, for each protocol.
INPUTS := 10000000
# Seconds for each fuzzer of "make fuzz-smoke".
FUZZ_SECONDS := 20
# Random specifications that are tried: the seed of the first, and how many. Of others some take
# minutes, or compare constants such that gcc complains.
SEED := 116
COUNT := 19
# "make test PROVE=" leaves the proofs out.
PROVE := yes

CCACHE := $(shell command -v ccache)
WARNINGS := -Wall -Wextra -Werror
CPPFLAGS := -D_GNU_SOURCE -Ivalidate/compiler -Ivalidate/runtime -Ibuild/gen \
	-Ibounce -Icore -Ipolicy -Idrivers/scsi -Itests/shim -Itests/host -Itests/attacks \
	-Itests/unit -Itests/unit/spec -Ifuzz

# Says what it does in a line each; "make V=1" shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-8s %s\n')

# For what sets up first and builds then: all processors, unless "make -j" said how many.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

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

COMPILER := $(patsubst %.c,%.o,$(wildcard validate/compiler/*.c))
LIBRARY := $(filter-out %/main.o,$(COMPILER))
RUNTIME := $(patsubst %.c,%.o,$(wildcard validate/runtime/*.c))

.PHONY: airspec
## airspec: the specification compiler, build/airspec
airspec: build/airspec

build/airspec: $(COMPILER:%=build/host/%)
	@$(say) LINK $@
	$(Q)$(CC_host) $(CFLAGS_host) -o $@ $^

# ---- what it generates ----

.PHONY: generate
## generate: validators, tables, vectors, dissectors, ... of each protocol, in build/gen
generate: $(PROTOCOLS:%=build/gen/%.h)

# One run writes all files of a protocol.
GENERATED := %.h %.c %_tables.c %_layout.h %_glue.c %_vectors.c %_mutator.c %_acsl.c \
	%.dict %.lua %.pcap %.expect %.md

define generating
$(GENERATED:%=build/gen/%): $(1)/%.spec build/airspec
	@mkdir -p $$(@D)
	@$$(say) AIRSPEC $$<
	$$(Q)build/airspec build -o $$(@D) $$<
endef

$(eval $(call generating,validate/spec))
$(eval $(call generating,tests/unit/spec))

# ---- programs, for this machine and others ----

# $(call machine,NAME,COMPILER,FLAGS): build/NAME/x.o is x.c compiled so, and
# build/NAME/difftest-PROTOCOL compares generated C with the interpreter.
define machine
CC_$(1) := $(2)
CFLAGS_$(1) := -g -std=gnu11 $(WARNINGS) $(3)

build/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	@$$(say) CC '$$< ($(1))'
	$$(Q)$$(CCACHE) $$(CC_$(1)) $$(CFLAGS_$(1)) $$(CPPFLAGS) -MMD -MP -c -o $$@ $$<

build/$(1)/difftest-%: tests/unit/spec/difftest.c $(LIBRARY:%=build/$(1)/%) \
		$(RUNTIME:%=build/$(1)/%) build/$(1)/build/gen/%.o \
		build/$(1)/build/gen/%_glue.o build/$(1)/build/gen/%_vectors.o
	@$$(say) LINK $$@
	$$(Q)$$(CC_$(1)) $$(CFLAGS_$(1)) $$(CPPFLAGS) -DPROTOCOL=$$* -MMD -MP -MF $$@.d -MT $$@ -o $$@ $$(filter %.c %.o,$$^)
endef

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZING := -fsanitize=fuzzer-no-link

$(eval $(call machine,host,gcc,-O2))
# With the hook that is told of every fetch from host memory.
$(eval $(call machine,clang,clang,-O1 -DAIRLOCK_FETCH_HOOK $(SANITIZE)))
$(eval $(call machine,threads,clang,-O1 -fsanitize=thread))
$(eval $(call machine,fuzz,clang,-O1 $(SANITIZE) $(FUZZING)))
$(eval $(call machine,ppc64,powerpc64-linux-gnu-gcc,-O2 -static))
$(eval $(call machine,aarch64,aarch64-linux-gnu-gcc,-O2 -static))

# What tests/unit/spec/random.sh needs for any specification, which is of a protocol "sample".
RANDOM_PROGRAMS := build/clang/airspec build/clang/random.a

build/clang/airspec: $(COMPILER:%=build/clang/%)
	@$(say) LINK $@
	$(Q)$(CC_clang) $(CFLAGS_clang) -o $@ $^

build/clang/tests/unit/spec/difftest.o: CPPFLAGS += -DPROTOCOL=sample

build/clang/random.a: build/clang/tests/unit/spec/difftest.o $(LIBRARY:%=build/clang/%) $(RUNTIME:%=build/clang/%)
	@$(say) AR $@
	$(Q)rm -f $@ && $(AR) rc $@ $^

# Each "if" of the stack is a check that can be switched off at run time: see docs/mutants.md.
$(eval $(call machine,mutants,clang,-O1 -DAIRLOCK_FETCH_HOOK -fsanitize=undefined -fsanitize-trap=all))
MUTATED := bounce core policy drivers build/gen validate/runtime
$(foreach d,$(MUTATED),$(eval build/mutants/$(d)/%.o: CFLAGS_mutants += -include tests/mutants/if.h -Wno-dangling-else -Wno-empty-body))

# ---- the stack, in user space ----

# The very files that become kernel modules; the shim below them; the model host beside them.
STACK := $(patsubst %.c,%.o,$(wildcard bounce/*.c core/*.c policy/*.c drivers/*/*.c)) \
	$(PROTOCOLS:%=build/gen/%.o) $(RUNTIME)
SHIM := $(patsubst %.c,%.o,$(wildcard tests/shim/*.c))
HOST := $(patsubst %.c,%.o,$(wildcard tests/host/*.c))
SCENES := $(patsubst %.c,%.o,$(wildcard tests/attacks/*.c)) $(PROTOCOLS:%=build/gen/%_tables.o)

# They include what is generated, which has to be there before a compiler can say so.
INCLUDING := $(filter bounce/% core/% policy/% drivers/%,$(STACK)) $(HOST) $(filter tests/%,$(SCENES)) \
	$(patsubst %.c,%.o,$(wildcard tests/soak/*.c))
$(foreach m,host clang threads mutants,$(INCLUDING:%=build/$(m)/%)): | $(PROTOCOLS:%=build/gen/%.h)

$(foreach m,host clang threads mutants,build/$(m)/stack.a): build/%/stack.a: $(addprefix build/%/,$(STACK) $(SHIM) $(HOST))
	@$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(foreach m,clang threads mutants,build/$(m)/attacks): build/%/attacks: $(addprefix build/%/,$(SCENES)) build/%/stack.a
	@$(say) LINK $@
	$(Q)$(CC_$*) $(CFLAGS_$*) -o $@ $^ -lpthread

.PHONY: attacks
## attacks: every attack of the catalogues against the whole stack, one verdict a line
attacks: build/clang/attacks build/threads/attacks
	@echo 'those that race, in threads:'
	@build/threads/attacks --racing $(IDS)
	@echo 'all, in virtual time:'
	@build/clang/attacks $(IDS)

# Seconds of "make soak".
SECONDS := 60

SOAK := $(patsubst %.c,%.o,$(wildcard tests/soak/*.c)) tests/attacks/rules_table.o $(PROTOCOLS:%=build/gen/%_tables.o)

$(foreach m,host clang threads,build/$(m)/soak): build/%/soak: $(addprefix build/%/,$(SOAK)) build/%/stack.a
	@$(say) LINK $@
	$(Q)$(CC_$*) $(CFLAGS_$*) -o $@ $^ -lpthread

.PHONY: soak
## soak: a minute of honest traffic with rescinds, every byte compared: "make soak SECONDS=600"
soak: build/host/soak
	@build/host/soak -m $$(($(SECONDS) * 5000000 / 60)) $(SECONDS)

# ---- fuzzers ----

build/fuzz/compiler: $(LIBRARY:%=build/fuzz/%) build/fuzz/fuzz/compiler.o
	@$(say) LINK $@
	$(Q)$(CC_fuzz) $(CFLAGS_fuzz) -fsanitize=fuzzer -o $@ $^

build/fuzz/validators-%: fuzz/validators.c build/fuzz/fuzz/mutate.o $(RUNTIME:%=build/fuzz/%) \
		build/fuzz/build/gen/%.o build/fuzz/build/gen/%_glue.o build/fuzz/build/gen/%_mutator.o
	@$(say) LINK $@
	$(Q)$(CC_fuzz) $(CFLAGS_fuzz) $(CPPFLAGS) -DPROTOCOL=$* -fsanitize=fuzzer \
		-MMD -MP -MF $@.d -MT $@ -o $@ $(filter %.c %.o,$^)

FUZZERS := build/fuzz/compiler $(PROTOCOLS:%=build/fuzz/validators-%)

.PHONY: fuzz-smoke
## fuzz-smoke: each fuzzer for a few seconds, a planted fault included
fuzz-smoke: $(FUZZERS)
	@fuzz/smoke.sh $(FUZZ_SECONDS) $(PROTOCOLS)

# ---- tests ----

# What is tested behaviour by behaviour, with sanitizers.
UNITS := $(wildcard tests/unit/*_test.c tests/unit/spec/*_test.c)
UNIT_PROGRAMS := $(patsubst %.c,build/clang/%,$(notdir $(UNITS)))
vpath %_test.c tests/unit tests/unit/spec
# Those of the stack; a test that wants the scenes of the attacks gets them.
STACK_PROGRAMS := $(filter-out %/runtime_test,$(patsubst %.c,build/clang/%,$(notdir $(wildcard tests/unit/*_test.c))))
$(STACK_PROGRAMS): build/clang/stack.a

$(UNIT_PROGRAMS): build/clang/%: %.c $(PROTOCOLS:%=build/clang/build/gen/%.o) \
		$(SHAPES:%=build/clang/build/gen/%.o) $(RUNTIME:%=build/clang/%)
	@$(say) LINK $@
	$(Q)$(CC_clang) $(CFLAGS_clang) $(CPPFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(filter %.o %.a,$^) -lcmocka -lpthread

# Where generated C and interpreter are compared; fewer inputs where it is slow.
MACHINES := host clang ppc64 aarch64
INPUTS_clang := 300000
INPUTS_ppc64 := 100000
INPUTS_aarch64 := 100000

# NAME=COMMAND, what tests/run.sh runs. Commands that only succeed or fail say ok here.
GROUPS := style=tests/style.sh numbers='tests/stats.sh check' bad=tests/unit/spec/bad.sh \
	example=tests/unit/spec/example.sh random='tests/unit/spec/random.sh $(SEED) $(COUNT)' \
	$(foreach t,$(UNIT_PROGRAMS),$(notdir $(t))=$(t)) \
	$(foreach m,$(MACHINES),$(foreach p,$(PROTOCOLS),\
		$(p)-$(m)='tests/unit/spec/agree.sh $(m) $(p) $(or $(INPUTS_$(m)),$(INPUTS))')) \
	$(foreach m,host clang,$(foreach s,$(SHAPES),\
		$(s)-$(m)='tests/unit/spec/agree.sh $(m) $(s) $(INPUTS_clang)')) \
	generality='tests/as-root.sh tests/unit/spec/generality.sh' \
	dissector='tests/unit/spec/dissector.sh && echo ok' \
	layout=tests/unit/layout/check.sh kernel=tests/unit/kernel/check.sh \
	attacks='tests/attacks/ledger.sh build/clang/attacks' \
	racing='tests/attacks/ledger.sh build/threads/attacks --racing' \
	mutants='tests/mutants/self.sh build/mutants/run clang -std=gnu11 -D_GNU_SOURCE' \
	soak='tests/soak/self.sh build/host/soak' \
	soak-threads='build/threads/soak -t -m 1 5 && echo ok' \
	fuzz='fuzz/smoke.sh 5 $(PROTOCOLS)' \
	host-process='tests/host/process/client_test.py build/clang/airlock-host' \
	vm=tests/vm/self.sh disk=tests/vm/disk.sh race='tests/vm/race.sh 10' \
	$(if $(PROVE),prove='tests/prove/prove.sh && echo ok')

TEST_PROGRAMS := $(PROTOCOLS:%=build/clang/build/gen/%_tables.o) $(UNIT_PROGRAMS) \
	$(foreach m,$(MACHINES),$(PROTOCOLS:%=build/$(m)/difftest-%)) \
	$(foreach m,host clang,$(SHAPES:%=build/$(m)/difftest-%)) $(FUZZERS) $(RANDOM_PROGRAMS) \
	build/clang/attacks build/threads/attacks build/host/soak build/threads/soak build/mutants/run \
	build/clang/airlock-host build/host/airlock-host

.PHONY: test
## test: everything: sets up, builds, runs all tests, ends with "N passed, N failed"
test: setup
	@echo 'building'
	@$(MAKE) --no-print-directory $(PARALLEL) test-programs
	@tests/run.sh $(GROUPS)

.PHONY: test-programs
test-programs: generate modules $(TEST_PROGRAMS)
	@:

# ---- mutants ----

build/mutants/run: tests/mutants/run.c
	@mkdir -p $(@D)
	@$(say) CC $@
	$(Q)gcc -O2 -g -std=gnu11 $(WARNINGS) -D_GNU_SOURCE -o $@ $<

# Tests of the compiler's own matters are left out: nothing of it is in the stack.
MUTANT_UNITS := $(filter-out %/shim_test %/host_test %/target_test %/model_test,$(UNIT_PROGRAMS:build/clang/%=build/mutants/%))
MUTANT_PROGRAMS := $(MUTANT_UNITS) $(PROTOCOLS:%=build/mutants/difftest-%) build/mutants/attacks

$(MUTANT_UNITS): build/mutants/%: %.c build/mutants/stack.a $(SHAPES:%=build/mutants/build/gen/%.o) \
		build/mutants/tests/mutants/switch.o
	@$(say) LINK $@
	$(Q)$(CC_mutants) $(CFLAGS_mutants) $(CPPFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(filter %.o,$^) build/mutants/stack.a -lcmocka -lpthread

build/mutants/attacks $(PROTOCOLS:%=build/mutants/difftest-%): build/mutants/tests/mutants/switch.o

.PHONY: mutants
## mutants: switches every check of the stack off, one by one, and counts what the tests notice
mutants: generate
	@$(MAKE) --no-print-directory $(PARALLEL) build/mutants/run $(MUTANT_PROGRAMS)
	@tests/mutants/run.sh $(MUTANT_PROGRAMS)

.PHONY: bench
## bench: what it costs, as ratios to memcpy and to the kernel's own ring code
bench: generate
	@tests/bench/run.sh

.PHONY: random-specs
## random-specs: try COUNT random specifications from SEED on: "make random-specs SEED=1000 COUNT=500"
random-specs: $(RANDOM_PROGRAMS)
	@tests/unit/spec/random.sh $(SEED) $(COUNT)

.PHONY: prove
## prove: Frama-C proves every generated validator, for all bytes and lengths
prove: generate
	@tests/prove/prove.sh

.PHONY: stats
## stats: the numbers the project holds itself to, "key: value"
stats: generate
	@tests/stats.sh

.PHONY: check-style
## check-style: license lines, white space, line lengths, shellcheck
check-style:
	@tests/style.sh

.PHONY: demo
## demo: a stock kernel in QEMU, a disk through Airlock, a hostile host; writes build/report/demo.html
demo: setup
	@echo 'building'
	@$(MAKE) --no-print-directory $(PARALLEL) build/airspec build/host/airlock-host
	@$(MAKE) --no-print-directory modules KDIR="$$(./modules.sh list | grep -E 'headers-6\.12.*-amd64$$' | grep -v cloud)"
	@tests/vm/demo

.PHONY: tour
## tour: the validators: specifications compiled, messages judged, the stack attacked and soaked, in user space
tour: setup
	@echo 'building'
	@$(MAKE) --no-print-directory $(PARALLEL) generate $(PROTOCOLS:%=build/host/difftest-%) \
		build/clang/attacks build/host/soak
	@tests/tour.sh

.PHONY: endure race
## endure: TIMES=200 rescinds, modules in and out under load, a host that dies: nothing is left behind
endure: generate modules build/host/airlock-host
	@tests/vm/endure.sh $(TIMES)
## race: the host changes what it can for SECONDS=60 while the disk is verified
race: generate modules build/host/airlock-host
	@tests/vm/race.sh $(SECONDS)

.PHONY: clean
## clean: remove what was made (unpacked kernels, their headers and QEMU stay)
clean:
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name headers ! -name kernels ! -name qemu -exec rm -rf {} +

include modules.mk
include tests/host/process/host.mk

-include $(shell [ ! -d build ] || find build \( -path build/headers -o -path build/kernels -o -path build/qemu -o -path build/modules \) \
	-prune -o -name '*.d' -print)
