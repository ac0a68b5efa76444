/*
 * engine.c -- see engine.h.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "crypto/engine.h"

struct engine {
    EVP_CIPHER *aes_128_ecb;
    EVP_MD *sha_256;
    EVP_CIPHER_CTX *cipher;
    EVP_MD_CTX *digest;
};

static _Thread_local struct engine *engine;

/* Frees a thread's engine when the thread ends. */
static pthread_key_t engine_key;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void engine_free(void *what)
{
    struct engine *e = what;

    EVP_CIPHER_CTX_free(e->cipher);
    EVP_MD_CTX_free(e->digest);
    EVP_CIPHER_free(e->aes_128_ecb);
    EVP_MD_free(e->sha_256);
    free(e);
}

static void engine_key_make(void)
{
    pthread_key_create(&engine_key, engine_free);
}

/* One initialisation with a throw-away key puts the algorithm into each context for good. */
static bool engine_prepare(struct engine *e)
{
    static const uint8_t no_key[16];

    e->aes_128_ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    e->sha_256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    e->cipher = EVP_CIPHER_CTX_new();
    e->digest = EVP_MD_CTX_new();
    return e->aes_128_ecb && e->sha_256 && e->cipher && e->digest &&
           EVP_EncryptInit_ex2(e->cipher, e->aes_128_ecb, no_key, NULL, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(e->cipher, 0) == 1 &&
           EVP_DigestInit_ex2(e->digest, e->sha_256, NULL) == 1;
}

static struct engine *engine_make(void)
{
    struct engine *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    pthread_once(&engine_once, engine_key_make);
    if (!engine_prepare(e) || pthread_setspecific(engine_key, e) != 0) {
        engine_free(e);
        return NULL;
    }
    engine = e;
    return e;
}

static inline struct engine *engine_get(void)
{
    return engine ? engine : engine_make();
}

int aes_start(struct aes *aes, const uint8_t key[16])
{
    struct engine *e = engine_get();

    if (!e || EVP_EncryptInit_ex2(e->cipher, NULL, key, NULL, NULL) != 1)
        return -ENOMEM;
    *aes = (struct aes){.context = e->cipher};
    return 0;
}

void aes_blocks(struct aes *aes, const uint8_t *in, uint8_t *out, size_t count)
{
    int size = (int)(count * AES_BLOCK_SIZE), written;

    if (count > 0 && EVP_EncryptUpdate(aes->context, out, &written, in, size) != 1)
        aes->bad = true;
}

int aes_end(const struct aes *aes)
{
    return aes->bad ? -ENOMEM : 0;
}

int sha256(const struct bytes *pieces, size_t count, uint8_t digest[SHA256_SIZE])
{
    struct engine *e = engine_get();
    bool ok = e && EVP_DigestInit_ex2(e->digest, NULL, NULL) == 1;

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(e->digest, pieces[i].at, pieces[i].len) == 1;
    if (!ok || EVP_DigestFinal_ex(e->digest, digest, NULL) != 1)
        return -ENOMEM;
    return 0;
}
