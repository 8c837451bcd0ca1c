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

PACKAGES := pkg-config gcc libc6-dev libfuse3-dev fuse3 libcurl4-openssl-dev libssl-dev libxml2-dev \
	uthash-dev libjansson-dev libmicrohttpd-dev libbsd-dev libcmocka-dev
CHECK_PACKAGES := curl python3 clang-format attr awscli

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

.DEFAULT_GOAL := all
.PHONY: all demo check check-unit check-cases check-style bench install uninstall deps deps-check clean help

all: $(FERRYFS)
$(FERRYFS): $(OUT)/fs/main.o $(LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(PKGLIBS)

$(OUT)/libs3.a: $(call objects,s3)
$(OUT)/libengine.a: $(call objects,engine)
$(OUT)/libfs.a: $(filter-out $(OUT)/$(MAIN:.c=.o),$(call objects,fs))
$(OUT)/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKGFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# tests/unit/LAYER_NOUN.c is one cmocka program; its name says the highest layer it may link.
unit-libs = $(if $(filter s3_%,$(1)),$(OUT)/libs3.a,$(if $(filter engine_%,$(1)),$(OUT)/libengine.a $(OUT)/libs3.a,$(LIBS)))
.SECONDEXPANSION:
$(UNIT): $(OUT)/unit/%: $(OUT)/tests/unit/%.o $$(call unit-libs,%)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(call unit-libs,$*) $(PKGLIBS) -lcmocka

# The embedded S3 server.
$(OUT)/s3d: $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/s3d/*.c)))
	$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libmicrohttpd libxml-2.0 openssl jansson)

# Benchmark programs, one file each.
$(OUT)/bench/%: $(OUT)/tests/bench/%.o $(LIBS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(LIBS) $(PKGLIBS)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
