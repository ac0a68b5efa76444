/*
 * engine.h -- AES-128 and SHA-256 from OpenSSL, for the files of this room.
 *
 * OpenSSL 3 finds an algorithm by name, which takes longer than enciphering a NAS message. So each
 * thread looks up both once, at its first call, and keeps the contexts until it ends; that is the
 * one state of this room. Setting another key is all that is left to do per message (about 150 ns).
 *
 * The contexts belong to the thread: between aes_start() and the last aes_blocks() nothing else of
 * this room may be called. None of the callers waits in between.
 */
#ifndef STROWGER_CRYPTO_ENGINE_H
#define STROWGER_CRYPTO_ENGINE_H

#include "base/cursor.h"

#define AES_BLOCK_SIZE    16
#define SHA256_SIZE       32
#define SHA256_BLOCK_SIZE 64

/* A keyed AES-128 in the direction "encrypt", which is the only one that 3GPP's modes use. */
struct aes {
    void *context;
    bool bad; /* OpenSSL failed; asked once at the end */
};

/* -ENOMEM at a thread's first call, if at all. */
int aes_start(struct aes *aes, const uint8_t key[16]);

/* Enciphers `count` blocks, each for itself; `in` and `out` may be the same. */
void aes_blocks(struct aes *aes, const uint8_t *in, uint8_t *out, size_t count);

int aes_end(const struct aes *aes);

/* SHA-256 over the pieces, one behind the other. */
int sha256(const struct bytes *pieces, size_t count, uint8_t digest[SHA256_SIZE]);

#endif
