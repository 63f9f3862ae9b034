/* SCRAM is refused with a librdkafka whose nonce brokers refuse, and taken with one that is right. */
#include "bus/bus_kafka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int version;

/* In place of the library's. */
int rd_kafka_version(void)
{
    return version;
}

static bool takes(const char *name, const char *value, struct err *e)
{
    struct header property[] = {{S("bootstrap.servers"), S("localhost:9092")}, {slice_of(name), slice_of(value)}};
    struct kafka k = {.options = {.property = property, .nproperties = 2}};
    return kafka_options_check(&k, e);
}

static void test_scram(void **state)
{
    static const char *const names[] = {"sasl.mechanism", "sasl.mechanisms"}, *const values[] = {"SCRAM-SHA-256", "SCRAM-SHA-512", "scram-sha-256"};
    static const struct {
        int version;
        bool works;
    } rows[] = {{0x020002ff, false}, {0x020600ff, false}, {0x020601ff, true}, {0x020602ff, true}, {0x020c00ff, true}};
    struct err e;
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (size_t n = 0; n < 2; n++) {
            version = rows[r].version;
            for (size_t v = 0; v < 3; v++) {
                e.text[0] = 0;
                assert_int_equal(takes(names[n], values[v], &e), rows[r].works);
                assert_true(rows[r].works || (strstr(e.text, names[n]) && strstr(e.text, values[v]) && strstr(e.text, "2.6.1")));
            }
            assert_true(takes(names[n], "PLAIN", &e));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scram)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
