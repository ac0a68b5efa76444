/*
 * nas_rates.c -- bit rates as NAS codes them: EPS quality of service (TS 24.301 clause 9.9.4.3) and
 * APN-AMBR (clause 9.9.4.2).
 *
 * A rate is said by one octet whose steps grow with its value; when that says "8640 kbit/s" an
 * extended octet may say more, and an extended-2 octet more still. For a bearer's rate the later
 * octet replaces the earlier ones; for an APN-AMBR extended-2 counts 256 Mbit/s that are added.
 */
#include "wire/nas/nas_table.h"

/* The octets `first`..`last` say first_kbps, first_kbps + step_kbps ... */
struct steps {
    uint8_t first, last;
    uint32_t first_kbps, step_kbps;
};

static const struct steps base[] = {{1, 63, 1, 1}, {64, 127, 64, 8}, {128, 254, 576, 64}};
static const struct steps extended[] = {
    {1, 74, 8700, 100}, {75, 186, 17000, 1000}, {187, 250, 130000, 2000}};
static const struct steps extended2[] = {
    {1, 61, 260000, 4000}, {62, 161, 510000, 10000}, {162, 246, 1600000, 100000}};

#define STEPS            3
#define MOST_OF_BASE     254 /* 8640 kbit/s, or more if an extended octet follows */
#define ZERO             255 /* 0 kbit/s */
#define MOST_OF_EXTENDED 250 /* 256 Mbit/s */
#define AMBR_UNIT_KBPS   256000
#define AMBR_MOST        254

static uint32_t kbps_of(const struct steps steps[STEPS], uint8_t octet)
{
    for (unsigned i = 0; i < STEPS; i++) {
        if (octet >= steps[i].first && octet <= steps[i].last)
            return steps[i].first_kbps + (uint32_t)(octet - steps[i].first) * steps[i].step_kbps;
    }
    return 0;
}

/* The octet of the smallest rate that is not below; 0 when even the largest is. */
static uint8_t octet_of(const struct steps steps[STEPS], uint64_t kbps)
{
    for (unsigned i = 0; i < STEPS; i++) {
        const struct steps *s = &steps[i];
        uint64_t largest = s->first_kbps + (uint64_t)(s->last - s->first) * s->step_kbps;
        if (kbps <= s->first_kbps)
            return s->first;
        if (kbps <= largest)
            return (uint8_t)(s->first + (kbps - s->first_kbps + s->step_kbps - 1) / s->step_kbps);
    }
    return 0;
}

/* ---- EPS quality of service ---------------------------------------------- */

uint64_t nas_eps_qos_kbps(const struct nas_eps_qos *qos, enum nas_eps_qos_rate which)
{
    const uint8_t *octet = &qos->rates[which];

    if (qos->rate_octets >= 12 && octet[8] > 0)
        return kbps_of(extended2, octet[8]);
    if (qos->rate_octets >= 8 && octet[4] > 0)
        return kbps_of(extended, octet[4]);
    return qos->rate_octets >= 4 ? kbps_of(base, octet[0]) : 0;
}

/* The three octets of a rate; returns how many of them are needed. */
static unsigned rate_octets(uint64_t kbps, uint8_t octets[3])
{
    octets[0] = kbps == 0 ? ZERO : octet_of(base, kbps);
    octets[1] = octets[2] = 0;
    if (octets[0] != 0)
        return 1;
    octets[0] = MOST_OF_BASE;
    octets[1] = octet_of(extended, kbps);
    if (octets[1] != 0)
        return 2;
    octets[1] = MOST_OF_EXTENDED;
    octets[2] = octet_of(extended2, kbps);
    if (octets[2] == 0)
        octets[2] = extended2[STEPS - 1].last;
    return 3;
}

struct nas_eps_qos nas_eps_qos_gbr(uint8_t qci, const uint64_t kbps[4])
{
    struct nas_eps_qos qos = {.qci = qci};
    unsigned sets = 1;

    for (unsigned i = 0; i < 4; i++) {
        uint8_t octets[3];
        unsigned needed = rate_octets(kbps[i], octets);
        if (needed > sets)
            sets = needed;
        for (unsigned n = 0; n < 3; n++)
            qos.rates[n * 4 + i] = octets[n];
    }
    qos.rate_octets = (uint8_t)(sets * 4);
    return qos;
}

static void eps_qos_decode(const struct wire_type *type, struct reader *r, void *value,
                           struct wire_context *context)
{
    struct nas_eps_qos *qos = value;

    (void)type;
    (void)context;
    qos->qci = rd_u8(r);
    qos->rate_octets =
        (uint8_t)(rd_left(r) < sizeof(qos->rates) ? rd_left(r) & ~3u : sizeof(qos->rates));
    rd_bytes(r, qos->rates, qos->rate_octets);
}

static void eps_qos_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_eps_qos *qos = value;

    (void)type;
    wr_u8(w, qos->qci);
    if (qos->rate_octets > sizeof(qos->rates) || qos->rate_octets % 4)
        wr_fail(w);
    else
        wr_bytes(w, qos->rates, qos->rate_octets);
}

static void eps_qos_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_eps_qos *qos = value;

    (void)type;
    text_add(t, "qci:%u", qos->qci);
    if (qos->rate_octets > 0)
        text_add(t, ",mbr:%llu/%llu,gbr:%llu/%llukbps",
                 (unsigned long long)nas_eps_qos_kbps(qos, NAS_MBR_UPLINK),
                 (unsigned long long)nas_eps_qos_kbps(qos, NAS_MBR_DOWNLINK),
                 (unsigned long long)nas_eps_qos_kbps(qos, NAS_GBR_UPLINK),
                 (unsigned long long)nas_eps_qos_kbps(qos, NAS_GBR_DOWNLINK));
}

const struct wire_type nas_eps_qos_type = {.name = "EPS quality of service",
                                           .size = sizeof(struct nas_eps_qos),
                                           .decode = eps_qos_decode,
                                           .encode = eps_qos_encode,
                                           .print = eps_qos_print};

/* ---- APN-AMBR ------------------------------------------------------------ */

static uint64_t ambr_kbps(const struct nas_apn_ambr *ambr, unsigned which)
{
    const uint8_t *octet = &ambr->octets[which];
    uint64_t kbps = kbps_of(base, octet[0]);

    if (ambr->len >= 4 && octet[2] > 0)
        kbps = kbps_of(extended, octet[2]);
    if (ambr->len >= 6 && octet[4] <= AMBR_MOST)
        kbps += (uint64_t)octet[4] * AMBR_UNIT_KBPS;
    return kbps;
}

uint64_t nas_apn_ambr_downlink_kbps(const struct nas_apn_ambr *ambr)
{
    return ambr_kbps(ambr, 0);
}

uint64_t nas_apn_ambr_uplink_kbps(const struct nas_apn_ambr *ambr)
{
    return ambr_kbps(ambr, 1);
}

/* The three octets of one direction; returns how many are needed. What is left over after whole 256
 * Mbit/s is said by the other two; nothing left over is "0 kbit/s" there. */
static unsigned ambr_octets(uint64_t kbps, uint8_t octets[3])
{
    uint64_t units = kbps > AMBR_UNIT_KBPS ? kbps / AMBR_UNIT_KBPS : 0;
    uint64_t rest = kbps - units * AMBR_UNIT_KBPS;

    if (units > AMBR_MOST) {
        units = AMBR_MOST;
        rest = AMBR_UNIT_KBPS;
    }
    unsigned needed = rate_octets(rest, octets);
    octets[2] = (uint8_t)units;
    return units > 0 ? 3 : needed;
}

struct nas_apn_ambr nas_apn_ambr(uint64_t downlink_kbps, uint64_t uplink_kbps)
{
    struct nas_apn_ambr ambr = {0};
    uint8_t down[3], up[3];
    unsigned sets = ambr_octets(downlink_kbps, down), up_sets = ambr_octets(uplink_kbps, up);

    for (unsigned n = 0; n < 3; n++) {
        ambr.octets[2 * n] = down[n];
        ambr.octets[2 * n + 1] = up[n];
    }
    ambr.len = (uint8_t)(2 * (sets > up_sets ? sets : up_sets));
    return ambr;
}

static void apn_ambr_decode(const struct wire_type *type, struct reader *r, void *value,
                            struct wire_context *context)
{
    struct nas_apn_ambr *ambr = value;

    (void)type;
    (void)context;
    ambr->len =
        (uint8_t)(rd_left(r) < sizeof(ambr->octets) ? rd_left(r) & ~1u : sizeof(ambr->octets));
    rd_bytes(r, ambr->octets, ambr->len);
}

static void apn_ambr_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_apn_ambr *ambr = value;

    (void)type;
    if (ambr->len > sizeof(ambr->octets) || ambr->len % 2)
        wr_fail(w);
    else
        wr_bytes(w, ambr->octets, ambr->len);
}

static void apn_ambr_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_add(t, "down:%llu,up:%llukbps", (unsigned long long)nas_apn_ambr_downlink_kbps(value),
             (unsigned long long)nas_apn_ambr_uplink_kbps(value));
}

const struct wire_type nas_apn_ambr_type = {.name = "APN aggregate maximum bit rate",
                                            .size = sizeof(struct nas_apn_ambr),
                                            .decode = apn_ambr_decode,
                                            .encode = apn_ambr_encode,
                                            .print = apn_ambr_print};
