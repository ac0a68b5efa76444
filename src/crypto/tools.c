/*
 * tools.c -- HMAC, random octets, and care with secrets; see crypto.h.
 *
 * HMAC is made of two SHA-256 here rather than asked of OpenSSL's EVP_MAC, which allocates for each
 * key.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include "crypto/crypto.h"
#include "crypto/engine.h"

#define HMAC_PIECES 8 /* more than any caller has */

int crypto_hmac_sha256(struct bytes key, const struct bytes *pieces, size_t count, uint8_t mac[32])
{
    uint8_t pad[SHA256_BLOCK_SIZE] = {0}, inner[SHA256_SIZE];
    struct bytes all[HMAC_PIECES + 1] = {bytes_of(pad, sizeof(pad))};
    int err = 0;

    if (count > HMAC_PIECES)
        return -E2BIG;
    if (key.len > sizeof(pad))
        err = sha256(&key, 1, pad);
    else if (key.len > 0)
        memcpy(pad, key.at, key.len);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36;
    for (size_t i = 0; i < count; i++)
        all[i + 1] = pieces[i];
    if (!err)
        err = sha256(all, count + 1, inner);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36 ^ 0x5c;
    all[1] = bytes_of(inner, sizeof(inner));
    if (!err)
        err = sha256(all, 2, mac);
    crypto_wipe(pad, sizeof(pad));
    return err;
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void crypto_wipe(void *secret, size_t size)
{
    explicit_bzero(secret, size);
}

int crypto_random(void *to, size_t size)
{
    uint8_t *at = to;

    while (size > 0) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return 0;
}
