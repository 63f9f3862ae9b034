#include <sodium.h>

#include "wire/wire.h"

#define SHORT 1024 /* bytes, with the lengths */

/* sodium_init is not called: of libsodium only hashes are used, which need it for nothing but to choose the BLAKE2b
 * for AVX2, and that takes 1.6 times as long as the portable one on the processors that were measured (Zen 5). */

/* As the function below, of what is put together here: many small parts cost more than their bytes. */
static bool digest_short(unsigned char *out, size_t size, const struct slice *part, size_t n)
{
    unsigned char all[SHORT];
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (part[i].n > sizeof all || used + 8 + part[i].n > sizeof all)
            return false;
        put_be64(all + used, part[i].n);
        if (part[i].n)
            memcpy(all + used + 8, part[i].p, part[i].n);
        used += 8 + part[i].n;
    }
    crypto_generichash(out, size, all, used, NULL, 0);
    return true;
}

/* Lengths are hashed too: ("ab", "c") and ("a", "bc") differ. */
static void digest(unsigned char *out, size_t size, const struct slice *part, size_t n)
{
    crypto_generichash_state state;
    if (digest_short(out, size, part, n))
        return;
    crypto_generichash_init(&state, NULL, 0, size);
    for (size_t i = 0; i < n; i++) {
        unsigned char length[8];
        put_be64(length, part[i].n);
        crypto_generichash_update(&state, length, sizeof length);
        if (part[i].n)
            crypto_generichash_update(&state, (const unsigned char *)part[i].p, part[i].n);
    }
    crypto_generichash_final(&state, out, size);
}

struct slice wire_id(struct arena *a, const struct slice *part, size_t n)
{
    unsigned char hash[16];
    digest(hash, sizeof hash, part, n);
    return arena_hex(a, hash, sizeof hash);
}

void wire_digest(unsigned char out[32], const struct slice *part, size_t n)
{
    digest(out, 32, part, n);
}

void wire_sha256(unsigned char out[32], struct slice s)
{
    crypto_hash_sha256(out, (const unsigned char *)s.p, s.n);
}
