# SPDX-License-Identifier: GPL-2.0-only
#
# airlock-host: the model host as a process. Everything of tests/host, but what knows the guest.

PROCESS := $(filter-out %/model.o %/audit.o,$(HOST)) $(patsubst %.c,%.o,$(wildcard tests/host/process/*.c))

$(foreach m,host clang threads,$(filter tests/host/process/%,$(PROCESS:%=build/$(m)/%))): | $(PROTOCOLS:%=build/gen/%.h)

# With sanitizers, too: build/clang/airlock-host, build/threads/airlock-host.
$(foreach m,host clang threads,build/$(m)/airlock-host): build/%/airlock-host: $(addprefix build/%/,$(PROCESS))
	@$(say) LINK $@
	$(Q)$(CC_$*) $(CFLAGS_$*) -o $@ $^ -lpthread
