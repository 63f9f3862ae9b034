/* A history of which a block is damaged: who asks for what is in it is told so, not that there is nothing. */
#include "store_support.h"

#include <lmdb.h>

#include "engine/document.h"
#include "engine/flow.h"
#include "engine/migrate.h"
#include "engine/query.h"

static const struct slice workflow = {"heihe", 5};

static void put(struct store_txn *t, enum table_id table, const struct key *k, struct slice value)
{
    assert_int_equal(store_put(t, table, key_slice(k), value), STORE_OK);
}

/* A measure's document, another's withdrawal, and what became of an event: all of them in records that share a block. */
static void fill(struct store_txn *t)
{
    const struct cloud_event event = {.source = S("portal"), .id = S("one")};
    unsigned char place[16] = {0}, seen[SEEN_BYTES] = {0};
    struct seen_id id;
    struct key k;
    put_be64(place, 1);
    key_document(&k, workflow, S("m-1"));
    put(t, TABLE_DOCUMENT, &k, (struct slice){(const char *)place, sizeof place});
    key_document(&k, workflow, S("m-2"));
    put(t, TABLE_WITHDRAWN, &k, (struct slice){(const char *)place, sizeof place});
    seen_id(&event, &id);
    put_be64(seen + SEEN_DIGEST, 2);
    key_seen(&k, 24000, workflow, seen_key(&id));
    put(t, TABLE_SEEN, &k, (struct slice){(const char *)seen, sizeof seen});
    for (uint64_t s = 1; s <= 2; s++) {
        key_history(&k, workflow, s);
        put(t, TABLE_HISTORY, &k, S("\nheihe, heihe, heihe, heihe, heihe, heihe, heihe, heihe"));
    }
}

static void damage(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *c;
    MDB_val k, v;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "history", 0, &dbi), 0);
    assert_int_equal(mdb_cursor_open(txn, dbi, &c), 0);
    assert_int_equal(mdb_cursor_get(c, &k, &v, MDB_FIRST), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &(MDB_val){v.mv_size / 2, v.mv_data}, 0), 0);
    mdb_cursor_close(c);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static struct store *damaged(const struct temp *temp)
{
    struct err e = {0};
    struct store *s = store_open(temp->path, 0, &e);
    assert_non_null(s);
    struct store_txn *t = store_begin(s, true, &e);
    fill(t);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    store_close(s);
    damage(temp->path);
    assert_non_null(s = store_open(temp->path, 0, &e));
    return s;
}

/* A document whose withdrawal cannot be read is not in force for that. */
static void test_document(void **state)
{
    static const struct slice id[] = {{"m-1", 3}, {"m-2", 3}};
    struct temp temp = temp_make();
    struct store *s = damaged(&temp);
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct document_view d;
        struct err e = {0};
        bool found;
        struct store_txn *t = store_begin(s, false, &e);
        assert_false(document_find(t, workflow, id[i], a, &d, &found, &e));
        assert_says(e.text, "a block of entries is damaged");
        store_abort(t);
    }
    arena_free(a);
    store_close(s);
    temp_remove(&temp);
}

static void test_event(void **state)
{
    struct temp temp = temp_make();
    struct store *s = damaged(&temp);
    struct arena *a = arena_new();
    struct slice json;
    struct err e = {0};
    struct store_txn *t = store_begin(s, false, &e);
    (void)state;
    assert_int_equal(query_event(t, S("portal"), S("one"), a, &json), QUERY_APPLIED);
    assert_says(arena_dup(a, json).p, "\"missing\":\"");
    assert_says(arena_dup(a, json).p, "a block of entries is damaged");
    store_abort(t);
    arena_free(a);
    store_close(s);
    temp_remove(&temp);
}

static void test_migrate(void **state)
{
    struct temp temp = temp_make();
    struct err e = {0};
    struct migrate_store part = {.store = damaged(&temp), .clock_target = INSTANT_NONE};
    struct migrate_workflow workflows[] = {{workflow, &part}, {S(""), &part}};
    const struct migrate_source source = {.part = &part, .nparts = 1, .workflow = workflows, .nworkflows = 2};
    (void)state;
    assert_non_null(part.txn = store_begin(part.store, false, &e));
    assert_false(migrate_check_whole(&source, &e));
    assert_says(e.text, "a block of entries is damaged");
    store_abort(part.txn);
    store_close(part.store);
    temp_remove(&temp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_document), cmocka_unit_test(test_event), cmocka_unit_test(test_migrate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
