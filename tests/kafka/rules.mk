# The real broker's tests. $(B)/kafka/…: programs that test_bus.py runs. Crash points are set by wrapping what the bus calls.
KAFKA_WRAP := rd_kafka_commit_transaction rd_kafka_send_offsets_to_transaction store_commit

$(B)/kafka/bus_kafka_test: tests/kafka/bus_kafka_test.c $(call libs,$(LINK_bus))
	@mkdir -p $(@D)
	@echo "  TEST    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) $(LDFLAGS_ALL) $(KAFKA_WRAP:%=-Wl,--wrap=%) -o $@ $< $(filter %.a,$^) $(LIBS)
