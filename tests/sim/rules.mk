# Deterministic simulation of the commit protocol: the daemon's own bus and worker over fakes (tests/sim/sim.h).
HISTORIES ?= 100000
SIM_CHECK ?= 10000
SIM_WRAP := pthread_create pthread_join pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock pthread_mutex_unlock \
    pthread_cond_init pthread_cond_destroy pthread_cond_signal pthread_cond_broadcast pthread_cond_wait pthread_cond_timedwait \
    clock_gettime getrandom malloc_trim eventfd poll read write close mkdir opendir readdir closedir store_open store_begin store_commit store_close store_unsettle store_settle

$(B)/sim/sim: $(wildcard tests/sim/*.c) tests/sim/sim.h $(call libs,$(LINK_engine))
	@mkdir -p $(@D)
	@echo "  TEST    tests/sim"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/sim $(PKG_CFLAGS) $(LDFLAGS_ALL) -Wno-missing-prototypes $(SIM_WRAP:%=-Wl,--wrap=%) -o $@ $(filter %.c %.a,$^) \
	    $(filter-out -lrdkafka,$(LIBS))
.PHONY: sim
sim: $(B)/sim/sim ## simulate HISTORIES histories of the commit protocol from SEED on (SEED=… HISTORIES=1: one of them, with its steps)
	$(Q)$(B)/sim/sim $(if $(SEED),$(if $(filter 1,$(HISTORIES)),--replay $(SEED),--seed $(SEED))) --histories $(HISTORIES)
