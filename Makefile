# SPDX-License-Identifier: GPL-2.0
# All entry points; "make help" lists them.

# Of luotrace, libluo and their packages; NEWS.md says what is new in it.
VERSION := 1.1

MAKEFLAGS += --no-print-directory
Q := $(if $(V),,@)
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
export KSRC V T ARCH CONFIG
# The tests that are wanted; the shell gets them through the environment.
WANTED := $(if $(T),--tests "$$T")
# What writes to build/ waits for another make that does: BUILD for its programs and pages,
# TEST for the results of tests, demonstrations and measurements.
BUILD := tools/build/alone build
TEST := tools/build/alone test
ifneq ($(filter-out arm64,$(ARCH)),)
$(error ARCH=$(ARCH): want arm64, or none for this machine)
endif
# ARCH=arm64 is for the VM of that architecture: its flavours, and what it needs.
flavour = $(addprefix --,$(subst $() ,-,$(strip $(ARCH) $(1))))
arch_deps := $(addprefix deps-,$(ARCH))
built := build$(addprefix /,$(ARCH))

help:
	@echo 'The main job, from nothing on a bare Debian 12, 13 or testing (as root):'
	@echo '  demo          replace the kernel below a running guest, show what it felt and why;'
	@echo '                BREAK=ram, tick or rest breaks the guest on purpose'
	@echo '  demo-base     live-update one from a kernel with the LUO of the base into one'
	@echo '                with this LUO, and back'
	@echo '  check         run all tests; the last line is "N passed, N failed"'
	@echo
	@echo 'Parts:'
	@echo '  deps          install the Debian packages that are missing'
	@echo '  kernel        build/bzImage, build/vmlinux: a Linux with this LUO'
	@echo '  kernel-stock  build/stock/bzImage: the same with the LUO of the base'
	@echo '  kernel-debug  build/debug/bzImage: with KASAN and kmemleak'
	@echo '  kernel-kcsan  build/kcsan/bzImage: with KCSAN, which finds data races'
	@echo '  luotrace      build/luotrace, the tool, static if possible; needs no kernel'
	@echo '  libluo        build/libluo: the calls of LUO as a C library, for agents'
	@echo '  selftests     build/selftests: programs that run in the test VM'
	@echo '  check-host    tests that need no VM; T=audit_test runs one, T="NAME NAME" more'
	@echo '  check-static  checkpatch, W=1, sparse, kernel-doc on both bases'
	@echo '  check-vm      VM tests, and their metrics in Prometheus; T=state runs one,'
	@echo '                T="state:close*" its cases of that name, T=faults FLAVOUR=debug'
	@echo '                one with that kernel; an unknown name lists the known ones'
	@echo '  check-stock   VM tests with the base kernel and its own LUO'
	@echo '  check-debug   VM tests with the two debug kernels'
	@echo '  check-suites  demo, docs and the host tests in a minimal root of each Debian suite'
	@echo '  check-packages  packages, built and installed in a root of each Debian suite'
	@echo '  check-all     all of these, and the VM tests with the other kernels'
	@echo '  bench         the cost of tracing, this LUO and that of the base, luotrace and'
	@echo '                other tools; build/bench'
	@echo '  fuzz-kernel   random calls of /dev/liveupdate, MINUTES=30, guided by what they cover;'
	@echo '                SEED=1'
	@echo '  soak          live updates in a row with random agents, N=300, into this LUO and by'
	@echo '                turns into that of the base; SEED=1'
	@echo '  fuzz          luotrace on random input, MINUTES=10 for each kind of file; inputs that'
	@echo '                it finds are added to the tests; T="box core" fuzzes only these'
	@echo '  docs          build/docs/index.html'
	@echo '  man           build/man/luotrace.8, one page a command, and libluo.3'
	@echo '  install       luotrace, its completions, units, alert rules, dashboard and JSON schemas,'
	@echo '                libluo and headers for agents, and man pages to $$(DESTDIR)$$(PREFIX);'
	@echo '                luotrace, libluo and man build them; LIBDIR is $$(PREFIX)/lib,'
	@echo '                SBINDIR $$(PREFIX)/sbin'
	@echo '  deb           build/deb/*.deb: packages luotrace, libluo1 and libluo-dev of this suite'
	@echo '                and their source; ARCH=arm64: build/arm64/deb, of static programs'
	@echo '  rpm           build/rpm/*.rpm: luotrace, libluo and libluo-devel'
	@echo '  kernel-deb    build/deb/linux-*.deb: packages of a kernel with this LUO; CONFIG=FILE is'
	@echo '                its configuration, or a part of one (that of make kernel)'
	@echo '  clean         remove build/'
	@echo '  distclean     remove build/ and the cache'
	@echo
	@echo 'ARCH=arm64 with demo, demo-base, kernel, kernel-stock, luotrace, libluo, selftests and'
	@echo 'check-vm: the same for arm64, in build/arm64. The demonstration is one of memfds.'
	@echo 'KSRC=DIR takes the kernel source from DIR instead of the archive.'
	@echo 'V=1 shows commands. The cache is $$XDG_CACHE_HOME/luotrace.'

deps:
	$(Q)tools/build/deps

deps-%:
	$(Q)tools/build/deps $*

kernel: deps-kernel $(arch_deps)
	$(Q)tools/build/kernel $(call flavour)

kernel-stock: deps-kernel $(arch_deps)
	$(Q)tools/build/kernel $(call flavour,stock)

kernel-debug kernel-kcsan: kernel-%: deps-kernel
	$(Q)tools/build/kernel --$*

luotrace: deps-tool $(arch_deps)
	$(Q)$(BUILD) $(MAKE) -C tools/luotrace

libluo: deps-tool $(arch_deps)
	$(Q)$(BUILD) $(MAKE) -C tools/libluo

selftests: deps-kernel deps-vm $(arch_deps)
	$(Q)$(BUILD) $(MAKE) -C selftests KERNEL_TREE="$$(tools/build/base)"

demo: kernel luotrace selftests
	$(Q)$(TEST) selftests/demo/run $(if $(BREAK),--break $(BREAK)) $(if $(ARCH),--arch $(ARCH))

demo-base: kernel kernel-stock luotrace selftests
	$(Q)$(TEST) selftests/demo/run --base $(if $(ARCH),--arch $(ARCH))

check: deps deps-arm64
	$(Q)$(TEST) tools/build/check --short host static vm monitor stock arm64:demo-memfd

check-host: deps-tool deps-check deps-vm
	$(Q)$(TEST) tools/build/check $(WANTED) host

check-static: deps-kernel deps-check deps-arm64
	$(Q)$(TEST) tools/build/check static

check-vm: deps-kernel deps-tool deps-vm $(arch_deps)
	$(Q)$(TEST) tools/build/check $(if $(T)$(FLAVOUR),$(WANTED) $(if $(FLAVOUR)$(ARCH),--flavour $(or $(FLAVOUR),$(ARCH))) vm,$(if $(ARCH),arm64 arm64-stock arm64-64k,vm monitor))

check-stock: deps-kernel deps-tool deps-vm
	$(Q)$(TEST) tools/build/check stock

check-debug: deps-kernel deps-tool deps-vm
	$(Q)$(TEST) tools/build/check debug kcsan

check-suites: deps-suites
	$(Q)$(TEST) tools/build/check suites

check-packages: deps-kernel deps-arm64 deps-suites
	$(Q)$(TEST) tools/build/check packages

check-all: deps deps-arm64 deps-suites
	$(Q)$(TEST) tools/build/check host static vm monitor stock debug kcsan machines 7.2 7.2-stock \
		arm64 arm64-stock arm64-64k pahole pahole-stock distro \
		distro-bookworm distro-trixie distro-forky systemd systemd-stock deb \
		suites packages

bench: deps-kernel deps-tool deps-vm deps-bench luotrace selftests
	$(Q)for flavour in bench bench-stock bench-selftest bench-norecorder; do \
		tools/build/kernel --$$flavour || exit; done
	$(Q)mkdir -p build/bench
	$(Q)for what in cost compare kho blackout tools box report; do \
		$(TEST) selftests/bench/$$what > build/bench/$$what.txt && \
			cat build/bench/$$what.txt || exit; done

fuzz: luotrace deps-check
	$(Q)$(TEST) selftests/host/fuzz $(or $(MINUTES),10) $(T)

fuzz-kernel: deps-kernel deps-vm selftests
	$(Q)tools/build/kernel --fuzz
	$(Q)$(TEST) selftests/fuzz/kernel --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

soak: kernel kernel-stock selftests deps-vm
	$(Q)$(TEST) selftests/fuzz/soak $(or $(N),300) --seed $(or $(SEED),1)

docs: deps-docs deps-kernel
	$(Q)$(BUILD) $(MAKE) -C Documentation

man: deps-docs
	$(Q)$(BUILD) $(MAKE) -C Documentation man

install:
	$(Q)test -x $(built)/luotrace || { echo 'install: $(built)/luotrace is missing; make luotrace builds it' >&2; exit 1; }
	$(Q)test -x $(built)/luotrace-core || { echo 'install: $(built)/luotrace-core is missing; make luotrace builds it' >&2; exit 1; }
	$(Q)test -e $(built)/libluo/libluo.so || { echo 'install: $(built)/libluo is missing; make libluo builds it' >&2; exit 1; }
	$(Q)test -e build/man/libluo.3 || { echo 'install: build/man is missing; make man builds it' >&2; exit 1; }
	$(Q)install -D -m 755 $(built)/luotrace $(DESTDIR)$(SBINDIR)/luotrace
	$(Q)install -D -m 755 -t $(DESTDIR)$(PREFIX)/libexec/luotrace $(built)/luotrace-core
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 build/man/luotrace*.8
	$(Q)install -D -m 644 tools/luotrace/luotrace.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/luotrace
	$(Q)install -D -m 644 tools/luotrace/luotrace.zsh $(DESTDIR)$(ZSHDIR)/_luotrace
	$(Q)install -D -m 644 -t $(DESTDIR)$(FISHDIR) tools/luotrace/luotrace.fish
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man3 build/man/libluo.3
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/include tools/luotrace/luotrace_mark.h \
		tools/libluo/libluo.h
	$(Q)install -D -m 644 -t $(DESTDIR)$(LIBDIR) $(built)/libluo/libluo.a $(built)/libluo/libluo.so.1
	$(Q)ln -sf libluo.so.1 $(DESTDIR)$(LIBDIR)/libluo.so
	$(Q)install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	$(Q)sed 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(LIBDIR),; s,@VERSION@,$(VERSION),' tools/libluo/libluo.pc.in \
		> $(DESTDIR)$(LIBDIR)/pkgconfig/libluo.pc
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/luotrace/schema \
		Documentation/tools/luotrace/schema/*.schema.json
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/luotrace/monitoring \
		Documentation/monitoring/alerts.yml Documentation/monitoring/dashboard.json
	$(Q)install -D -m 644 -t $(DESTDIR)$(UNITDIR) Documentation/monitoring/*.service \
		Documentation/monitoring/*.timer
	$(Q)sed -i 's,/usr/local/sbin,$(SBINDIR),' $(DESTDIR)$(UNITDIR)/luotrace-*.service

deb: deps-tool deps-docs deps-package $(arch_deps)
	$(Q)$(BUILD) tools/build/deb

rpm: deps-tool deps-docs deps-package
	$(Q)$(BUILD) tools/build/rpm

kernel-deb: deps-kernel
	$(if $(ARCH),$(error kernel-deb makes packages for this machine, not for ARCH=$(ARCH)))
	$(Q)tools/build/kernel --deb $(if $(CONFIG),--config "$$CONFIG")

clean:
	$(Q)$(TEST) $(BUILD) rm -rf build

distclean: clean
	$(Q)tools/build/clean-cache

.PHONY: help deps kernel kernel-stock kernel-debug kernel-kcsan luotrace libluo selftests demo demo-base check \
	check-host check-static check-vm check-stock check-debug check-suites check-packages check-all bench fuzz fuzz-kernel soak docs man install deb rpm kernel-deb \
	clean distclean
