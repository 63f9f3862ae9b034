# The program that tests/test_numbers.py asks.
$(B)/numbers/numbers: tests/numbers/numbers.c $(call libs,$(LINK_lang))
	@mkdir -p $(@D)
	@echo "  TEST    $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) $(LDFLAGS_ALL) -o $@ $< $(filter %.a,$^) $(LIBS)
