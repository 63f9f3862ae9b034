# Fuzzers: tests/fuzz/*.c under libFuzzer, ASan and UBSan, in a build of their own by clang.
FUZZERS := yaml csv expression event template
FUZZ_RUNS ?= 20000
FUZZ_SECONDS ?= 600
FUZZ_SAN := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer

$(B)/fuzzer/%: tests/fuzz/%.c tests/fuzz/definition.h $(call libs,$(LINK_engine))
	@mkdir -p $(@D)
	@echo "  FUZZER  $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) $(LDFLAGS_ALL) -fsanitize=fuzzer -Wno-missing-prototypes -o $@ $< $(filter %.a,$^) $(LIBS)
.PHONY: fuzzers fuzz
fuzzers:
	$(Q)$(MAKE) --no-print-directory -j2 B=$(B)/fuzz CC=clang OPT="-O1 -g" SAN="$(FUZZ_SAN)" $(FUZZERS:%=$(B)/fuzz/fuzzer/%)
fuzz: packages-test fuzzers ## fuzz the front end and events for FUZZ_SECONDS each (600), from a seed that is printed
	$(Q)python3 tests/fuzz/fuzz.py $(B)/fuzz/fuzzer --seconds $(FUZZ_SECONDS)
