/*
 * crypto.h -- the door of the crypto room: what an LTE operator computes with keys.
 *
 *   milenage_*   authentication and key agreement between SIM and HSS (TS 35.206, TS 33.102
 * clause 6.3) kdf_*        keys derived from other keys (TS 33.401 annex A, TS 33.220 annex B)
 *   eps_eea/eia  confidentiality and integrity of NAS, RRC and user plane (TS 33.401 annex B)
 *   crypto_*     HMAC, random numbers, comparison and wiping of secrets
 *
 * AES and SHA-256 are OpenSSL's; Milenage, SNOW 3G (ETSI/SAGE UEA2 & UIA2) and ZUC (ETSI/SAGE
 * 128-EEA3 & 128-EIA3) are ours, written from the specifications and checked with their test sets.
 * OpenSSL's handles are looked up once per thread and kept, as looking them up costs more than the
 * work itself.
 *
 * Keys, vectors and messages are octet strings in the order of the specification. Every function
 * that can fail returns 0 or a negative errno; the only reasons are those named at the function and
 * -ENOMEM, when OpenSSL has no memory at a thread's first call. Any thread.
 */
#ifndef STROWGER_CRYPTO_CRYPTO_H
#define STROWGER_CRYPTO_CRYPTO_H

#include "base/cursor.h"

/* ---- Milenage ------------------------------------------------------------ */

#define MILENAGE_KEY_SIZE  16 /* K, OP, OPc, RAND, CK, IK */
#define MILENAGE_SQN_SIZE  6
#define MILENAGE_AMF_SIZE  2
#define MILENAGE_AUTN_SIZE 16 /* SQN xor AK (6), AMF (2), MAC-A (8) */
#define MILENAGE_AUTS_SIZE 14 /* SQN_MS xor AK* (6), MAC-S (8) */
#define MILENAGE_RES_SIZE  8
#define MILENAGE_SQN_MAX   0xffffffffffffULL

/* TS 33.401 clause 6.1.1: the separation bit (the AMF's first) is 1 in vectors for E-UTRAN. */
#define MILENAGE_AMF_SEPARATION 0x8000

/* What the SIM and the HSS share. */
struct milenage {
    uint8_t k[16];
    uint8_t opc[16];
};

/* OPc = AES_K(OP) xor OP (TS 35.206 clause 4.1). */
int milenage_opc(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16]);

/* f1 gives MAC-A, f1* gives MAC-S, from the same block; either result may be NULL. */
int milenage_f1(const struct milenage *m, const uint8_t rand[16], const uint8_t sqn[6],
                const uint8_t amf[2], uint8_t mac_a[8], uint8_t mac_s[8]);

/* f2 (RES), f3 (CK), f4 (IK) and f5 (AK); each result may be NULL. */
int milenage_f2345(const struct milenage *m, const uint8_t rand[16], uint8_t res[8], uint8_t ck[16],
                   uint8_t ik[16], uint8_t ak[6]);

/* f5* (AK for resynchronisation). */
int milenage_f5_star(const struct milenage *m, const uint8_t rand[16], uint8_t ak[6]);

/* An authentication vector as the HSS makes it and the SIM finds it (TS 33.102 clause 6.3.2). */
struct milenage_vector {
    uint8_t rand[16];
    uint8_t autn[16];
    uint8_t res[8]; /* XRES in the HSS */
    uint8_t ck[16];
    uint8_t ik[16];
};

/* HSS: fills the vector for `rand`, sequence number `sqn` (48 bits) and `amf`. */
int milenage_make(const struct milenage *m, const uint8_t rand[16], uint64_t sqn, uint16_t amf,
                  struct milenage_vector *vector);

/* HSS: checks AUTS of a synchronisation failure against the RAND that was sent and gives SQN_MS
 * (clause 6.3.5). -EACCES when MAC-S is wrong. */
int milenage_auts_open(const struct milenage *m, const uint8_t rand[16], const uint8_t auts[14],
                       uint64_t *sqn_ms);

/* SIM: checks AUTN and fills the vector; `sqn` and `amf` are what AUTN holds, either may be NULL.
 * -EACCES when MAC-A is wrong ("MAC failure"). Whether the sequence number is fresh is for the
 * caller to say. */
int milenage_autn_open(const struct milenage *m, const uint8_t rand[16], const uint8_t autn[16],
                       struct milenage_vector *vector, uint64_t *sqn, uint16_t *amf);

/* SIM: AUTS that tells the HSS the SIM's own sequence number. */
int milenage_auts_make(const struct milenage *m, const uint8_t rand[16], uint64_t sqn_ms,
                       uint8_t auts[14]);

/* ---- Key derivation (TS 33.401 annex A) ---------------------------------- */

#define KDF_KEY_SIZE 32 /* KASME, KeNB, NH */

/* A.7, table A.7-1: what an algorithm key is for. */
enum kdf_algorithm_type {
    KDF_NAS_ENC = 1,
    KDF_NAS_INT = 2,
    KDF_RRC_ENC = 3,
    KDF_RRC_INT = 4,
    KDF_UP_ENC = 5,
    KDF_UP_INT = 6,
};

/* A.2: KASME from CK, IK; `sn_id` is the serving network's PLMN in its three octets (wr_plmn()
 * writes them); `sqn_xor_ak` is the first six octets of AUTN. */
int kdf_kasme(const uint8_t ck[16], const uint8_t ik[16], const uint8_t sn_id[3],
              const uint8_t sqn_xor_ak[6], uint8_t kasme[32]);

/* A.3: KeNB from KASME and the uplink NAS COUNT of the message that starts the S1 context. */
int kdf_k_enb(const uint8_t kasme[32], uint32_t ul_nas_count, uint8_t k_enb[32]);

/* A.4: NH; `sync_input` is KeNB for the first, the previous NH for all following. */
int kdf_nh(const uint8_t kasme[32], const uint8_t sync_input[32], uint8_t nh[32]);

/* A.5: KeNB* for the target cell. An EARFCN above 65535 is written in three octets. */
int kdf_k_enb_star(const uint8_t k_enb_or_nh[32], uint16_t pci, uint32_t earfcn_dl,
                   uint8_t k_enb_star[32]);

/* A.7: the 128-bit key of one algorithm (the last 16 octets of the derived key). `key` is KASME for
 * NAS and KeNB for RRC and user plane; `algorithm_id` is n of 128-EEAn or 128-EIAn. */
int kdf_algorithm_key(const uint8_t key[32], enum kdf_algorithm_type type, unsigned algorithm_id,
                      uint8_t algorithm_key[16]);

/* ---- EPS encryption and integrity (TS 33.401 annex B) -------------------- */

/* Algorithm identities of clause 5.1.3.2 and 5.1.4.2: n in EEAn, EIAn. */
enum eps_algorithm {
    EPS_ALGORITHM_NULL = 0,
    EPS_ALGORITHM_SNOW_3G = 1,
    EPS_ALGORITHM_AES = 2,
    EPS_ALGORITHM_ZUC = 3,
};

enum eps_direction {
    EPS_UPLINK = 0,
    EPS_DOWNLINK = 1,
};

/* The inputs that every algorithm takes. */
struct eps_key_stream {
    const uint8_t *key; /* 16 octets */
    uint32_t count;
    uint8_t bearer; /* 0..31; 0 for NAS */
    enum eps_direction direction;
};

/* Encrypts or decrypts `bits` bits; `in` and `out` are (bits + 7) / 8 octets and may be the same.
 * Bits after the last are zero in `out`. -ENOTSUP for an algorithm above EEA3. */
int eps_eea(unsigned algorithm, const struct eps_key_stream *stream, const uint8_t *in,
            uint8_t *out, size_t bits);

/* The 32-bit MAC over `bits` bits. EIA0 gives zeros. -ENOTSUP for an algorithm above EIA3. */
int eps_eia(unsigned algorithm, const struct eps_key_stream *stream, const uint8_t *message,
            size_t bits, uint8_t mac[4]);

/* "EEA2" / "128-EIA2" style names for people. */
const char *eps_algorithm_name(unsigned algorithm);

/* ---- Tools --------------------------------------------------------------- */

/* HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the pieces, one behind the other; key of any length. */
int crypto_hmac_sha256(struct bytes key, const struct bytes *pieces, size_t count, uint8_t mac[32]);

/* Compares in a time that does not depend on the contents. */
bool crypto_equal(const void *a, const void *b, size_t size);

/* Overwrites a secret; the compiler does not remove it. */
void crypto_wipe(void *secret, size_t size);

/* Random octets from the kernel (getrandom(2)); blocks only before the system's generator is first
 * ready. -errno of the system call. */
int crypto_random(void *to, size_t size);

#endif
