# ferryfs: S3 buckets as directories, with server-side cp and mv.  `make help` lists what can be made.
#
# Three layers, each a static library: fs -> engine -> s3.  A lower one never includes a higher one
# (tests/style/layers.sh).  Objects and programs go to $(BUILD); only ./ferryfs is left at the top.

VERSION  := 0.1.0
BUILD    ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=
SANITIZE ?=
CC       ?= cc

# A sanitizer build never mixes with a plain one: it has a folder of its own below $(BUILD).
comma := ,
ifneq ($(SANITIZE),)
OUT     := $(BUILD)/san-$(subst $(comma),-,$(SANITIZE))
SANFLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
FERRYFS := $(OUT)/ferryfs
else
OUT     := $(BUILD)
FERRYFS := ferryfs
endif

# TORTURE=1: a sanitizer build whose n-th allocation or system call can be made to fail (tests/matrix/torture.py).
ifneq ($(TORTURE),)
OUT     := $(OUT)-torture
FERRYFS := $(OUT)/ferryfs
WRAPPED := $(shell sh tests/matrix/wrapped.sh)
CPPFLAGS += -DFERRYFS_TORTURE
endif

PACKAGES := pkg-config gcc libc6-dev libfuse3-dev fuse3 libcurl4-openssl-dev libssl-dev libxml2-dev \
	uthash-dev libjansson-dev libmicrohttpd-dev libbsd-dev libcmocka-dev
CHECK_PACKAGES := curl python3 clang-format attr awscli rsync busybox
FUZZ_PACKAGES  := clang libclang-rt-14-dev
# libc6-dbg: valgrind asks for the loader's symbols.
ANALYSIS_PACKAGES := clang-tidy cppcheck valgrind libc6-dbg

PKG      := fuse3 libcurl libxml-2.0 openssl jansson
PKGFLAGS  = $(shell pkg-config --cflags $(PKG))
PKGLIBS   = $(shell pkg-config --libs $(PKG))
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wundef \
	-Wformat=2 -Wwrite-strings -Wno-unused-parameter -Werror
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -DFERRYFS_VERSION='"$(VERSION)"' -I.
CFLAGS   += -std=c11 $(OPT) $(WARN) $(SANFLAGS) -pthread
LDFLAGS  += $(SANFLAGS) -pthread

LAYERS   := s3 engine fs
sources   = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
objects   = $(patsubst %.c,$(OUT)/%.o,$(call sources,$(1)))
MAIN     := fs/main.c
LIBS     := $(OUT)/libfs.a $(OUT)/libengine.a $(OUT)/libs3.a

UNIT     := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(sort $(wildcard tests/unit/*.c)))

# One short line a step; V=1 shows the commands.
say = $(if $(V),,@echo '  $(1)  $@' &&)

.DEFAULT_GOAL := all
.PHONY: all demo demo-run check check-run check-unit check-cases check-style check-analysis check-valgrind bench bench-run bench-mounts install uninstall deps deps-check clean help

all: $(FERRYFS)
# All of the archives: so a name that two layers define is an error here, instead of a call of the wrong one.
$(FERRYFS): $(OUT)/fs/main.o $(if $(TORTURE),$(OUT)/tests/matrix/torture_wrap.o) $(LIBS)
	$(call say,LD) $(CC) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ -Wl,--whole-archive $^ -Wl,--no-whole-archive $(PKGLIBS)

# The crash matrix's program: dies at a chosen step of a move (engine/base/crash.h).  Only engine/ differs.
CRASHING := $(OUT)/crash/ferryfs
$(CRASHING): $(OUT)/fs/main.o $(OUT)/libfs.a $(patsubst %.c,$(OUT)/crash/%.o,$(call sources,engine)) $(OUT)/libs3.a
	$(call say,LD) $(CC) $(LDFLAGS) -o $@ $^ $(PKGLIBS)
$(OUT)/crash/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS) -DFERRYFS_CRASH $(PKGFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/libs3.a: $(call objects,s3)
$(OUT)/libengine.a: $(call objects,engine)
$(OUT)/libfs.a: $(filter-out $(OUT)/$(MAIN:.c=.o),$(call objects,fs))
$(OUT)/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR) ar rcs $@ $^

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS) $(PKGFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# tests/unit/LAYER_NOUN.c is one cmocka program; its name says the highest layer it may link.
# Those above s3/ may use tests/unit/support, and run against the embedded server.
unit-libs = $(if $(filter s3_%,$(1)),$(OUT)/libs3.a,$(OUT)/libsupport.a $(if $(filter engine_%,$(1)),$(OUT)/libengine.a $(OUT)/libs3.a,$(LIBS)))
unit-server = $(if $(filter s3_%,$(1)),,$(OUT)/s3d)
$(OUT)/libsupport.a: $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/unit/support/*.c)))
.SECONDEXPANSION:
$(UNIT): $(OUT)/unit/%: $(OUT)/tests/unit/%.o $$(call unit-libs,%) | $$(call unit-server,%)
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(LDFLAGS) -o $@ $< $(call unit-libs,$*) $(PKGLIBS) -lcmocka

# The embedded S3 server.
$(OUT)/s3d: $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/s3d/*.c)))
	$(call say,LD) $(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libmicrohttpd libxml-2.0 openssl jansson)

# ---- tests ----
SAN_ENV  := $(if $(SANITIZE),SANITIZED=1) ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
	TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1
# BUDGET=SECONDS makes a sample of check-unit, check-cases, check-real and check-analysis (tests/run).
BUDGET   ?=
CASES    ?= $(sort $(wildcard tests/cases/[a-z]*_*.sh))
JOBS     ?= $(shell nproc)
RUN       = FERRYFS=$(abspath $(FERRYFS)) FERRYFS_CRASHING=$(abspath $(CRASHING)) S3D=$(abspath $(OUT)/s3d) $(SAN_ENV) tests/run -j $(JOBS) $(if $(SANITIZE),-t 1800) $(if $(BUDGET),-b $(BUDGET))

unit-names = $(foreach t,$(UNIT),unit/$(notdir $(t))=$(t))
case-names = $(foreach t,$(CASES),case/$(basename $(notdir $(t)))="bash $(t)")

# Compiled here, not run: their programs want another compiler, or are no tests.
COMPILED_ONLY := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/fuzz/*.c tests/bench/*.c tests/matrix/*.c)))

check: deps-check
	@$(MAKE) --no-print-directory check-run

# One line `N passed, N failed` at the very end sums up style, unit tests, the server's own test and the cases.
check-run: all $(UNIT) $(OUT)/s3d $(CRASHING) $(COMPILED_ONLY)
	@$(RUN) style="tests/style/check.sh" $(unit-names) s3d="tests/s3d/check.sh $(abspath $(OUT)/s3d)" $(case-names)

check-unit: $(UNIT) $(OUT)/s3d
	@$(RUN) $(unit-names)

# make check-cases CASES=tests/cases/copy_one.sh runs one.
check-cases: all $(OUT)/s3d $(CRASHING)
	@$(RUN) $(case-names)

# The cases against real servers, from Debian's packages (tests/reals3.sh); REAL=rgw or swift takes one of them, BRIEF=1
# leaves out what is the same on any server (any_server in tests/cases/lib.sh).
REAL ?= rgw swift
.PHONY: check-real
check-real: all $(CRASHING)
	@bad=0; for server in $(REAL); do echo "=== $$server"; \
		FERRYFS=$(abspath $(FERRYFS)) FERRYFS_CRASHING=$(abspath $(CRASHING)) JOBS=$(JOBS) BUDGET=$(BUDGET) $(SAN_ENV) \
			tests/reals3.sh $$server check $(case-names) || bad=1; done; exit $$bad

check-style:
	@tests/style/check.sh -v

# clang-tidy and cppcheck, as .clang-tidy and tests/style/cppcheck.txt say; nothing is found.
check-analysis:
	@CPPFLAGS='$(filter-out -DFERRYFS_VERSION%,$(CPPFLAGS)) $(PKGFLAGS)' tests/style/analysis.sh -j $(JOBS) $(if $(BUDGET),-b $(BUDGET))

# The unit tests in valgrind.  Its 3.19 has no pidfd_open, which some ask for.
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible \
	--errors-for-leak-kinds=definite,possible --num-callers=30 --suppressions=tests/unit/valgrind.supp
NOT_VALGRIND := fs_batch fs_resolver
valgrind-names = $(foreach t,$(UNIT),valgrind/$(notdir $(t))="$(if $(filter $(NOT_VALGRIND),$(notdir $(t))),echo valgrind has no pidfd_open; exit 77,$(VALGRIND) $(t))")
check-valgrind: $(UNIT) $(OUT)/s3d
	@$(RUN) -t 900 $(valgrind-names)

# The tables go to $(OUT)/bench.md, too; tests/bench/run.sh says what the environment changes.
bench: deps-check
	@$(MAKE) --no-print-directory bench-run

bench-run: all $(OUT)/s3d $(OUT)/bench/curlfloor
	@FERRYFS=$(abspath $(FERRYFS)) S3D=$(abspath $(OUT)/s3d) CURLFLOOR=$(abspath $(OUT)/bench/curlfloor) \
		REPORT=$(abspath $(OUT)/bench.md) RESULTS=$(abspath $(OUT)/bench.json) tests/bench/run.sh

# The mounts' rows of ours alone, in a minute and a half: one mount, and between two.
bench-mounts: all $(OUT)/s3d
	@FERRYFS=$(abspath $(FERRYFS)) S3D=$(abspath $(OUT)/s3d) tests/bench/mount.sh
	@FERRYFS=$(abspath $(FERRYFS)) S3D=$(abspath $(OUT)/s3d) tests/bench/views.sh

demo: deps-check
	@$(MAKE) --no-print-directory demo-run

demo-run: all $(OUT)/s3d
	@FERRYFS=$(abspath $(FERRYFS)) S3D=$(abspath $(OUT)/s3d) tests/demo.sh

# ---- fuzzers: tests/fuzz/NAME.c becomes $(BUILD)/fuzz/NAME, a libFuzzer program with objects of its own ----
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))
.PHONY: fuzz fuzz-run
fuzz:
	@$(MAKE) --no-print-directory CC=clang OUT=$(BUILD)/fuzz/objects WARN=-Wall \
		SANFLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' $(FUZZERS)
$(FUZZERS): $(BUILD)/fuzz/%: $(OUT)/tests/fuzz/%.o $(LIBS)
	$(call say,LD) $(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(LIBS) $(PKGLIBS)

# On copies of tests/fuzz/corpus/NAME; SECONDS for each.
fuzz-run: fuzz
	@tests/fuzz/run.sh $(or $(SECONDS),10) $(FUZZERS)

# ---- torture: every allocation and every system call of ours fails once; the fault matrix, all of it ----
TORTURED := $(MAKE) --no-print-directory SANITIZE=address,undefined OPT='-O1 -g'
TORTURE_DIR := $(BUILD)/san-address-undefined
TORTURE_RUN  = FERRYFS=$(abspath $(TORTURE_DIR)-torture/ferryfs) S3D=$(abspath $(TORTURE_DIR)/s3d) python3 tests/matrix/torture.py
.PHONY: torture torture-sample torture-build
torture-build:
	@$(TORTURED) all $(TORTURE_DIR)/s3d
	@$(TORTURED) TORTURE=1 all

# PART=K/N: the K-th of N parts of both.
torture: torture-build
	@$(TORTURE_RUN) --all $(if $(PART),--part $(PART))
	@$(FAULTS_RUN) --all $(if $(PART),--part $(PART))

# A sample of both, TORTURE_SECONDS in all, another one each day (SEED=N chooses).
TORTURE_SECONDS ?= 120
FAULTS_RUN = SANITIZED=1 FERRYFS=$(abspath $(TORTURE_DIR)/ferryfs) S3D=$(abspath $(TORTURE_DIR)/s3d) python3 tests/matrix/faults.py
torture-sample: torture-build
	@$(TORTURE_RUN) --seconds $$(($(TORTURE_SECONDS) * 6 / 10)) $(if $(SEED),--seed $(SEED))
	@$(FAULTS_RUN) --seconds $$(($(TORTURE_SECONDS) * 4 / 10)) $(if $(SEED),--seed $(SEED))

# ---- what must be installed ----
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends
WANTED  := $(PACKAGES) $(CHECK_PACKAGES) $(FUZZ_PACKAGES) $(ANALYSIS_PACKAGES)
MISSING = $(shell dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(WANTED) 2>/dev/null | \
	awk -v want="$(WANTED)" '$$2 == "installed" {have[$$1] = 1} \
	END {n = split(want, w, " "); for (i = 1; i <= n; i++) if (!have[w[i]]) print w[i]}')

deps:
	@missing="$(MISSING)"; \
	if [ -z "$$missing" ]; then echo "everything is installed"; \
	elif [ "$$(id -u)" = 0 ]; then { apt-get update -q && $(APT) $$missing; } >$(or $(TMPDIR),/tmp)/ferryfs-deps.log 2>&1 || \
		{ tail -n 20 $(or $(TMPDIR),/tmp)/ferryfs-deps.log; exit 1; }; echo "installed: $$missing"; \
	else echo "missing packages; run: sudo apt-get install --no-install-recommends $$missing"; exit 1; fi

# All but the fuzzers' compiler and the analysers, which `make check` does not need.
deps-check: WANTED := $(PACKAGES) $(CHECK_PACKAGES)
deps-check:
	@missing="$(MISSING)"; [ -z "$$missing" ] || $(MAKE) --no-print-directory deps FUZZ_PACKAGES= ANALYSIS_PACKAGES=

# ---- installation ----
BINDIR := $(DESTDIR)$(PREFIX)/bin
MANDIR := $(DESTDIR)$(PREFIX)/share/man
# Where mount(8) looks for its helpers, whatever the prefix.
SBINDIR := $(DESTDIR)/sbin

install: all
	install -d $(BINDIR) $(SBINDIR) $(MANDIR)/man1 $(MANDIR)/man7
	install -m 755 $(FERRYFS) $(BINDIR)/ferryfs
	ln -sf $(PREFIX)/bin/ferryfs $(SBINDIR)/mount.ferryfs
	ln -sf $(PREFIX)/bin/ferryfs $(SBINDIR)/mount.fuse.ferryfs
	install -m 644 man/ferryfs.1 $(MANDIR)/man1/
	install -m 644 man/ferryfs.7 $(MANDIR)/man7/

uninstall:
	rm -f $(BINDIR)/ferryfs $(SBINDIR)/mount.ferryfs $(SBINDIR)/mount.fuse.ferryfs \
		$(MANDIR)/man1/ferryfs.1 $(MANDIR)/man7/ferryfs.7

clean:
	rm -rf $(BUILD) ferryfs

help:
	@echo 'make              builds ./ferryfs'
	@echo 'make demo         the main job on the embedded S3 server: mount, browse, cp -r, mv, rm -r, and what crossed the wire'
	@echo 'make check        everything that must hold; ends with one line N passed, N failed'
	@echo 'make check-unit   the unit tests;  make check-cases [CASES=FILE]  the cases;  make check-style  layers, sizes, format'
	@echo 'make check-analysis  clang-tidy and cppcheck;  make check-valgrind  the unit tests in valgrind'
	@echo 'make check-real [REAL="rgw swift"] [CASES=FILE]  the cases against Ceph and OpenStack Swift'
	@echo 'make bench        tables of speed and memory beside the peers that are installed'
	@echo 'make bench-mounts what plain cp, mv and rm make on mounts of ours, alone'
	@echo 'make fuzz-run     the fuzzers, SECONDS=10 each; ends non-zero on a crash.  make fuzz  only builds them'
	@echo 'make torture       all allocations and system calls fail once each, and all of the fault matrix (PART=K/N: a part); torture-sample TORTURE_SECONDS=120'
	@echo 'make deps         installs what is missing (root), or prints the line to run'
	@echo 'make install      to PREFIX ($(PREFIX)), below DESTDIR;  make uninstall'
	@echo 'make clean        removes what was built'
	@echo 'SANITIZE=address,undefined | thread builds apart with sanitizers; OPT="-O0 -g" sets the optimisation'

# Benchmark programs, one file each.
$(OUT)/bench/%: $(OUT)/tests/bench/%.o $(LIBS)
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(LDFLAGS) -o $@ $< $(LIBS) $(PKGLIBS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
