# SPDX-License-Identifier: GPL-2.0-only
#
# Part of the Makefile: kernel modules. Kbuild says what they are made of, modules.sh where.

# Headers to build against; "make setup" gets those that are the default.
KDIR = $(shell ./modules.sh list)

.PHONY: modules
## modules: the kernel modules, in build/modules/RELEASE: "make modules KDIR=/path/to/headers"
modules: generate
	+$(Q)for headers in $(KDIR); do \
		$(say) KBUILD "$$headers"; \
		./modules.sh build "$$headers" --no-print-directory $(if $(V),,-s) modules || exit; \
	done
