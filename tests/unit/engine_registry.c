/* Partitions go from owner to owner inside a process; events whose workflow is served elsewhere. */
#include <ftw.h>

#include "engine_support.h"

#include "engine/intake.h"
#include "engine/keys.h"
#include "engine/worker_private.h"

struct someone {
    struct owner owner;
    int stirred;
};

static void stir(struct owner *o)
{
    ((struct someone *)(void *)o)->stirred++;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st;
    (void)flag;
    (void)f;
    return remove(path);
}

static void a_partition_has_one_owner_at_a_time(void **state)
{
    (void)state;
    char folder[] = "/tmp/duband-registry-XXXXXX";
    struct err e = {{0}};
    struct registry *r = registry_new(mkdtemp(folder), &e);
    struct someone one = {{r, stir, 0}, 0}, other = {{r, stir, 1}, 0}, follower = {{r, stir, -1}, 0};

    assert_non_null(r);
    registry_join(r, &one.owner);
    registry_join(r, &other.owner);
    registry_join(r, &follower.owner);
    assert_null(registry_find(r, 3));
    struct partition *p = registry_place(r, 3, &e);
    assert_ptr_equal(registry_find(r, 3), p);
    assert_null(registry_place(r, PARTITIONS_MAX, &e));
    assert_non_null(strstr(e.text, "at most"));

    /* The follower has what nobody wants, and hears of who does. */
    assert_true(registry_adopt(&follower.owner, p));
    assert_false(registry_is_wanted(&follower.owner, p));
    assert_false(registry_claim(&one.owner, p));
    assert_int_equal(follower.stirred, 1);
    assert_true(registry_is_wanted(&follower.owner, p));
    registry_release(&follower.owner, p);
    assert_int_equal(one.stirred, 1);
    assert_false(registry_adopt(&follower.owner, p)); /* it is wanted still */
    assert_true(registry_claim(&one.owner, p));
    assert_true(registry_claim(&one.owner, p));

    /* Another worker waits until the first has let go, and not for ever. */
    assert_false(registry_claim(&other.owner, p));
    registry_release(&other.owner, p);
    assert_false(registry_adopt(&follower.owner, p));
    assert_false(registry_claim(&other.owner, p));
    registry_release(&one.owner, p);
    assert_int_equal(other.stirred, 2); /* by the follower's release, and now */
    assert_true(registry_claim(&other.owner, p));
    registry_leave(r, &one.owner);
    registry_release(&other.owner, p);
    assert_int_equal(one.stirred, 4);
    assert_true(registry_adopt(&follower.owner, p));
    registry_release(&follower.owner, p);
    assert_int_equal(one.stirred, 4); /* it has left */
    registry_free(r);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_meta(struct partition *p, struct slice name)
{
    struct err e = {{0}};

    assert_true(partition_open(p, &e));
    struct store_txn *t = store_begin(p->store, true, &e);
    assert_int_equal(store_put(t, TABLE_META, name, S("12345678")), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
}

static void what_was_kept_is_shown_until_all_workers_know(void **state)
{
    (void)state;
    char folder[] = "/tmp/duband-registry-XXXXXX";
    struct err e = {{0}};
    struct registry *r = registry_new(mkdtemp(folder), &e);

    put_meta(registry_place(r, 0, &e), META_BATCH);
    registry_free(r);
    r = registry_new(folder, &e);
    assert_true(registry_keep(r, &e));
    r->unassigned = 2;
    struct partition *p = registry_find(r, 0);
    assert_true(p->kept);
    registry_assigned(r);
    assert_true(p->kept);
    registry_assigned(r);
    assert_false(p->kept);
    registry_free(r);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A restore that did not come to its end has left nothing, or a part of a batch: no state that anybody may read as one. */
static void what_is_not_whole_is_not_shown(void **state)
{
    (void)state;
    char folder[] = "/tmp/duband-registry-XXXXXX";
    struct err e = {{0}};
    struct registry *r = registry_new(mkdtemp(folder), &e);

    assert_true(partition_open(registry_place(r, 0, &e), &e));
    put_meta(registry_place(r, 1, &e), META_BATCH);
    put_meta(registry_find(r, 1), S(BUS_META_PIECE));
    put_meta(registry_place(r, 2, &e), META_BATCH);
    registry_free(r);
    r = registry_new(folder, &e);
    assert_true(registry_keep(r, &e));
    assert_false(registry_find(r, 0)->kept);
    assert_false(registry_find(r, 1)->kept);

    /* Nor what is made anew from here on. */
    assert_true(registry_find(r, 2)->kept);
    partition_hide(registry_find(r, 2));
    assert_false(registry_find(r, 2)->kept);
    registry_free(r);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool is_marked(const char *folder)
{
    char path[100];

    snprintf(path, sizeof path, "%s/partition-0/unsettled", folder);
    return access(path, F_OK) == 0;
}

/* Marked, it would be thrown away after a crash of the machine. */
static void an_embedded_log_waits_for_the_disk_whatever_is_asked(void **state)
{
    (void)state;
    char folder[] = "/tmp/duband-registry-XXXXXX";
    struct err e = {{0}};
    struct registry *r = registry_new(mkdtemp(folder), &e);
    struct partition *p = registry_place(r, 0, &e);

    r->deferred = true;
    assert_true(partition_open(p, &e));
    assert_true(is_marked(folder));
    struct store_txn *t = store_begin(p->store, true, &e);
    assert_int_equal(store_put(t, TABLE_LOG, S("k"), S("v")), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    registry_free(r);
    assert_false(is_marked(folder));
    r = registry_new(folder, &e);
    r->deferred = true;
    assert_true(partition_open(registry_place(r, 0, &e), &e));
    assert_false(is_marked(folder));
    registry_free(r);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void without_a_definition_only_the_form_counts(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct reasons why = {.arena = a};
    enum topic topic;
    struct cloud_event e = toy_submission(a, "toy", "s1", 1, 1);

    assert_true(intake_place(NULL, &e, a, &topic, &why));
    assert_int_equal(topic, TOPIC_SUBMISSIONS);
    e = toy_clock(a, "toy", "c1");
    assert_true(intake_place(NULL, &e, a, &topic, &why));
    assert_int_equal(topic, TOPIC_DEADLINES);
    e = toy_slow(a, "toy", "f1", 1, 200);
    assert_false(intake_place(NULL, &e, a, &topic, &why)); /* a fact's topic is its definition's to say */
    assert_int_equal(why.n, 0);
    e.data = S("[");
    assert_false(intake_place(NULL, &e, a, &topic, &why));
    assert_int_equal(why.n, 1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_has_one_owner_at_a_time),
        cmocka_unit_test(what_was_kept_is_shown_until_all_workers_know),
        cmocka_unit_test(what_is_not_whole_is_not_shown),
        cmocka_unit_test(an_embedded_log_waits_for_the_disk_whatever_is_asked),
        cmocka_unit_test(without_a_definition_only_the_form_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
