# duband: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
DESTDIR ?=
B ?= build
CC ?= gcc
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

PKGS := libevent libevent_pthreads rdkafka lmdb liblz4 libprotobuf-c libfyaml jansson libsodium libical
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla
HARD := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fno-common -fno-delete-null-pointer-checks
LHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT ?= -O2 -g
SAN ?=
CFLAGS ?= $(OPT)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Idaemon -I$(B)/gen $(CFLAGS) $(WARN) $(if $(SAN),$(SAN),$(HARD)) -pthread -MMD -MP
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
LIBS = $(shell pkg-config --libs $(PKGS)) -lm
# The daemon's allocator: a tenth less processor time on Kafka than libc's. Sanitizers bring their own; MALLOC= takes libc's.
MALLOC ?= $(if $(SAN),,-ljemalloc)
LDFLAGS_ALL = $(LDFLAGS) $(if $(SAN),$(SAN),$(LHARD)) -pthread

# Every module is a folder; ctl and http hold what only one of the two programs needs.
COMMON_DIRS := base core lang wire store bus engine
COMMON_SRC := $(foreach d,$(COMMON_DIRS),$(wildcard daemon/$(d)/*.c))
PROTO := $(wildcard proto/duban/v1/*.proto)

.PHONY: all
all: $(B)/duband $(B)/dubanctl ## build build/duband and build/dubanctl

# ---- rules

# protobuf-c ships no generated code for the well-known types that the contracts import: it is made here, too.
PROTO_INCLUDE ?= /usr/include
PROTO_NAMES := $(PROTO:proto/%=%) google/protobuf/struct.proto google/protobuf/timestamp.proto
GEN_C := $(PROTO_NAMES:%.proto=$(B)/gen/%.pb-c.c)
GEN_O := $(GEN_C:.c=.o)
FIELDS := duban/v1/output duban/v1/state google/protobuf/timestamp # whose fields are packed by number

$(B)/gen/.done: $(PROTO) daemon/wire/fields.awk
	@mkdir -p $(@D)
	@echo "  PROTOC  $(PROTO)"
	$(Q)protoc-c --c_out=$(B)/gen -Iproto -I$(PROTO_INCLUDE) $(PROTO_NAMES)
	$(Q)awk -f daemon/wire/fields.awk $(FIELDS:%=$(B)/gen/%.pb-c.c) > $(B)/gen/duban/v1/fields.h
	@touch $@
$(GEN_C): $(B)/gen/.done ;
$(B)/gen/%.o: $(B)/gen/%.c
	$(Q)$(CC) -std=c11 -I$(B)/gen $(CFLAGS) $(if $(SAN),$(SAN),$(HARD)) -c -o $@ $<

$(B)/%.o: daemon/%.c | $(B)/gen/.done
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -c -o $@ $<

# The page's files as arrays of bytes, included by daemon/web/assets.c.
WEB := $(filter-out %.c %.h,$(wildcard daemon/web/*))
$(B)/gen/web/%.inc: daemon/web/%
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' > $@.new && mv $@.new $@
$(B)/web/assets.o: $(WEB:daemon/web/%=$(B)/gen/web/%.inc)

# The style of documents, inside the engine that lays them out.
$(B)/gen/engine/%.inc: daemon/engine/%
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' > $@.new && mv $@.new $@
$(B)/engine/document.o: $(B)/gen/engine/document.css.inc

# One static library a module: what a test may link is what the include rules let it see.
define module
$(B)/lib$(1).a: $$(patsubst daemon/%.c,$(B)/%.o,$$(wildcard daemon/$(1)/*.c)) $(if $(filter wire,$(1)),$$(GEN_O))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach m,$(COMMON_DIRS) http ctl web,$(eval $(call module,$(m))))

libs = $(patsubst %,$(B)/lib%.a,$(1))
$(B)/libctl.a: $(B)/config.o # dubanctl reads the daemon's configuration, too

LINK_base := base
LINK_core := core base
LINK_lang := lang core base
LINK_wire := wire core base
LINK_store := store base
LINK_bus := bus store wire core base
LINK_engine := engine bus store wire lang core base
LINK_http := http web $(LINK_engine)
LINK_ctl := ctl $(LINK_engine)

$(B)/duband: $(patsubst daemon/%.c,$(B)/%.o,$(wildcard daemon/*.c)) $(call libs,$(LINK_http))
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) $(MALLOC)
$(B)/dubanctl: $(call libs,$(LINK_ctl))
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ -Wl,--whole-archive $(B)/libctl.a -Wl,--no-whole-archive $^ $(LIBS)

# Unit tests: tests/unit/MODULE_*.c, each a cmocka program of its own.
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
.SECONDEXPANSION:
$(B)/unit/%: tests/unit/%.c $$(call libs,$$(LINK_$$(firstword $$(subst _, ,$$*))))
	@mkdir -p $(@D)
	@echo "  TEST    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) $(LDFLAGS_ALL) -Wno-missing-prototypes -o $@ $< $(filter %.a,$^) $(LIBS) -lcmocka
.PHONY: unit
unit: $(UNIT)

include tests/kafka/rules.mk
include tests/numbers/rules.mk
include tests/fuzz/rules.mk
include tests/sim/rules.mk

# ---- what people run

WORKFLOWS := $(patsubst %/workflow.yaml,%,$(wildcard workflows/*/workflow.yaml))
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_MAKE = $(MAKE) --no-print-directory B=$(B)/asan OPT="-O1 -g" SAN="$(ASAN)"
KAFKA ?= 4.3.1
KAFKA_FAULTS ?= 4.0.1
KAFKA_OLD ?= 3.9.1

.PHONY: packages packages-test packages-kafka
packages:
	$(Q)sh deploy/packages.sh build
packages-kafka:
	$(Q)sh deploy/packages.sh build kafka
packages-test:
	$(Q)sh deploy/packages.sh build kafka test

.PHONY: demo demo-stop
demo: packages ## install what is missing, build, replay a year, print the address (REGIME=heihe-2022: another; BUS=kafka: a real broker)
	$(Q)$(if $(filter kafka,$(BUS)),sh deploy/packages.sh kafka)
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)REGIME=$(REGIME) sh deploy/demo.sh $(or $(BUS),local)
demo-stop: ## stop what `make demo` started
	$(Q)sh deploy/demo.sh stop

.PHONY: test check
test: all unit ## the fast tests, under a minute
	$(Q)python3 tests/run.py --command "include rules=python3 tests/include_rules.py" --unit $(B)/unit \
	    --command "scenarios=$(B)/dubanctl test workflows/*"
check: packages-test ## every test, a real Kafka broker and a real browser included
	$(Q)$(MAKE) --no-print-directory -j2 all unit $(B)/kafka/bus_kafka_test $(B)/sim/sim
	$(Q)$(ASAN_MAKE) -j2 all unit
	$(Q)$(MAKE) --no-print-directory fuzzers kafka-jars browser
	$(Q)B=$(B) KAFKA=$(KAFKA) KAFKA_FAULTS=$(KAFKA_FAULTS) KAFKA_OLD=$(KAFKA_OLD) python3 tests/run.py \
	    --command "include rules=python3 tests/include_rules.py" --unit $(B)/asan/unit \
	    --command "scenarios=$(B)/asan/dubanctl test workflows/*" \
	    --command "simulation=$(B)/sim/sim --histories $(SIM_CHECK)" \
	    --command "fuzzers=python3 tests/fuzz/fuzz.py $(B)/fuzz/fuzzer --runs $(FUZZ_RUNS)" --python 'test_*.py'

# Unoptimised, so that each line is itself; without sanitizers, whose branches are not ours.
COVERAGE = B=$(B)/coverage OPT="-O0 -g --coverage" HARD= LHARD= LDFLAGS=--coverage
.PHONY: coverage
coverage: packages-test ## which lines of core and lang the tests reach; fails under 95 %
	$(Q)$(MAKE) --no-print-directory -j2 $(COVERAGE) all unit
	$(Q)find $(B)/coverage -name '*.gcda' -delete
	$(Q)B=$(B)/coverage python3 tests/run.py --unit $(B)/coverage/unit --command "scenarios=$(B)/coverage/dubanctl test $(WORKFLOWS)" \
	    --python 'test_language.py' --python 'test_docs.py' --python 'test_authors.py' --python 'test_ctl.py'
	$(Q)python3 tests/coverage.py $(B)/coverage --least 95

.PHONY: torture
torture: packages-test ## Kafka's faults, thousands of them: for hours (FAULT=kill,storm ROUNDS=20 SEED=1)
	$(Q)$(MAKE) --no-print-directory -j2 all kafka-jars
	$(Q)B=$(B) KAFKA_FAULTS=$(KAFKA_FAULTS) FAULT=$(FAULT) ROUNDS=$(ROUNDS) EACH=$(EACH) SEED=$(SEED) FIRST=$(FIRST) python3 tests/torture.py

.PHONY: years
years: all ## make the regimes' example years and their outputs anew, and show what changed
	$(Q)B=$(B) python3 tests/test_years.py update
	$(Q)B=$(B) python3 tests/test_year_documents.py update
	$(Q)git --no-pager diff --stat -- 'workflows/*/example'

.PHONY: asan
asan: ## build with AddressSanitizer and UBSan into build/asan
	$(Q)$(ASAN_MAKE) all

.PHONY: kafka-jars browser
kafka-jars: $(B)/kafka-$(KAFKA)/.done $(B)/kafka-$(KAFKA_FAULTS)/.done $(B)/kafka-$(KAFKA_OLD)/.done
$(B)/kafka-%/.done: tests/kafka/pom.xml
	@echo "  MAVEN   Apache Kafka $*"
	$(Q)python3 tests/kafka/broker.py jars --version $* --build $(B) >/dev/null
	@touch $@
browser: tests/browser/node_modules/.done
tests/browser/node_modules/.done: tests/browser/package-lock.json
	@echo "  NPM     tests/browser"
	$(Q)cd tests/browser && npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: docs
docs: all ## fill in what dubanctl prints: the reference, the tutorial and the schemas of workflows/
	$(Q)B=$(B) python3 tests/docs.py

.PHONY: fresh
fresh: ## both commands in a minimal Debian root made by debootstrap (needs root)
	$(Q)sh deploy/packages.sh fresh
	$(Q)sh tests/fresh.sh

.PHONY: packages-bench bench
packages-bench:
	$(Q)sh deploy/packages.sh build kafka test bench
bench: packages-bench ## measure, alone and against Kafka Streams (QUICK=1: a look; ROWS="load kill": only these rows of the comparison)
	$(Q)$(MAKE) --no-print-directory -j2 all kafka-jars $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c)) $(B)/streams/rounds-1.jar
	$(Q)status=0; $(if $(ROWS),:,B=$(B) KAFKA=$(KAFKA) python3 tests/bench/bench.py) || status=1; \
	    B=$(B) KAFKA=$(KAFKA) python3 tests/bench/compare.py $(if $(QUICK),--quick) $(ROWS) || status=1; exit $$status
$(B)/streams/rounds-1.jar: tests/bench/streams/pom.xml $(wildcard tests/bench/streams/src/main/java/duban/bench/*.java) $(PROTO)
	@echo "  MAVEN   tests/bench/streams"
	$(Q)mvn -q -B -f $< package -Dout=$(abspath $(B))/streams
$(B)/bench/%: tests/bench/%.c $(call libs,$(LINK_engine))
	@mkdir -p $(@D)
	@echo "  BENCH   $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) $(LDFLAGS_ALL) $(BENCH_WRAP) -o $@ $< $(filter %.a,$^) $(LIBS)
$(B)/bench/embedded: BENCH_WRAP := -Wl,--wrap=mdb_put,--wrap=mdb_del

.PHONY: install clean help
install: all ## install to DESTDIR and PREFIX (/usr/local)
	install -D -m 755 $(B)/duband $(DESTDIR)$(PREFIX)/sbin/duband
	install -D -m 755 $(B)/dubanctl $(DESTDIR)$(PREFIX)/bin/dubanctl
	install -D -m 644 config/duband.yaml $(DESTDIR)$(PREFIX)/share/duband/duband.yaml
	cd workflows && find . -type f ! -path '*/__pycache__/*' -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/share/duband/workflows/{} \;
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/duband/proto/duban/v1 proto/duban/v1/*.proto
clean: ## remove what was built
	rm -rf $(B)
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
	@echo "  V=1 shows the commands; B=DIR builds elsewhere; SAN=-fsanitize=… OPT=… change the compilation"

-include $(shell [ -d $(B) ] && find $(B) -mindepth 1 \( -name fresh -o -name asan -o -name fuzz -o -name coverage \) -prune -o -name '*.d' -type f -print)
