/*
 * record.c -- reading and showing subscriber records; record.h tells the idea.
 *
 * The field `apns` has a small grammar of its own, the same everywhere:
 *
 *   internet/ipv4v6/qci=9/dl=100M/ul=50M;ims/ipv4/10.45.0.7/qci=5/arp=1
 *
 * APNs are separated by ';' (or blanks); the first is the default. Behind the name, in any order:
 * the PDN type, a static IPv4 or IPv6 address, and qci=, arp=, ul=, dl= and the words preempt and
 * fixed (may pre-empt others; may not be pre-empted).
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/config.h"
#include "crypto/crypto.h"
#include "hss/record.h"

#define DEFAULT_QCI      9
#define DEFAULT_PRIORITY 8
#define MAX_APNS_TEXT    4096
#define MAX_QCI          254

const struct hss_profile hss_profile_default = {
    .apns = "internet/ipv4v6",
    .ambr_ul = 1000000000,
    .ambr_dl = 1000000000,
};

static const char *const pdn_names[HSS_PDN_TYPES] = {"ipv4", "ipv6", "ipv4v6"};

/* ---- Small readers ---- */

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *number = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0' && *number <= most;
}

static bool read_rate(const char *text, uint64_t *rate)
{
    const struct config_field field = {.name = "rate", .size = sizeof(*rate)};
    char ignored[64];
    struct text why = text_in(ignored, sizeof(ignored));

    return config_bitrate.parse(&field, text, rate, &why);
}

static bool read_key(const char *text, uint8_t key[16], struct text *why)
{
    size_t len = strlen(text);

    if (len == 32 && hex_parse(text, key, 16) == 16)
        return true;
    text_add(why, len == 32 ? "other characters" : "%zu characters", len);
    return false;
}

/* ---- Fields ---- */

static bool set_imsi(struct hss_draft *d, const char *text, struct text *why)
{
    if (imsi_is_valid(text)) {
        strcpy(d->subscriber.imsi, text);
        return true;
    }
    text_add(why, "'%.40s'", text);
    return false;
}

static bool set_k(struct hss_draft *d, const char *text, struct text *why)
{
    return d->has_k = read_key(text, d->subscriber.k, why);
}

static bool set_op(struct hss_draft *d, const char *text, struct text *why)
{
    return d->has_op = read_key(text, d->op, why);
}

static bool set_opc(struct hss_draft *d, const char *text, struct text *why)
{
    return d->has_opc = read_key(text, d->subscriber.opc, why);
}

static bool set_amf(struct hss_draft *d, const char *text, struct text *why)
{
    uint8_t amf[2];

    if (strlen(text) != 4 || hex_parse(text, amf, 2) != 2) {
        text_add(why, "'%.40s'", text);
        return false;
    }
    d->subscriber.amf = (uint16_t)(amf[0] << 8 | amf[1]);
    return d->has_amf = true;
}

static bool set_sqn(struct hss_draft *d, const char *text, struct text *why)
{
    size_t len = strlen(text);

    if (len == 0 || len > 12 || strspn(text, "0123456789abcdefABCDEF") != len) {
        text_add(why, "'%.40s'", text);
        return false;
    }
    d->subscriber.sqn = strtoull(text, NULL, 16);
    return d->subscriber.sqn_given = true;
}

static bool set_msisdn(struct hss_draft *d, const char *text, struct text *why)
{
    const char *digits = text[0] == '+' ? text + 1 : text;
    size_t len = strlen(digits);

    if (len == 0 || len >= MSISDN_SIZE || strspn(digits, "0123456789") != len) {
        text_add(why, "'%.40s'", text);
        return false;
    }
    strcpy(d->subscriber.msisdn, digits);
    return true;
}

static bool set_ambr_ul(struct hss_draft *d, const char *text, struct text *why)
{
    text_add(why, "'%.40s'", text);
    return d->has_ambr_ul = read_rate(text, &d->subscriber.ambr_ul);
}

static bool set_ambr_dl(struct hss_draft *d, const char *text, struct text *why)
{
    text_add(why, "'%.40s'", text);
    return d->has_ambr_dl = read_rate(text, &d->subscriber.ambr_dl);
}

static bool set_status(struct hss_draft *d, const char *text, struct text *why)
{
    d->subscriber.barred = strcmp(text, "barred") == 0;
    text_add(why, "'%.40s'", text);
    return d->subscriber.barred || strcmp(text, "granted") == 0;
}

static bool set_u32(const char *text, uint64_t most, uint32_t *value, struct text *why)
{
    uint64_t number = 0;

    text_add(why, "'%.40s'", text);
    if (!read_number(text, most, &number))
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool set_access_restriction(struct hss_draft *d, const char *text, struct text *why)
{
    return set_u32(text, UINT32_MAX, &d->subscriber.access_restriction, why);
}

static bool set_rfsp(struct hss_draft *d, const char *text, struct text *why)
{
    return set_u32(text, 256, &d->subscriber.rfsp, why);
}

static bool set_rau_tau_timer(struct hss_draft *d, const char *text, struct text *why)
{
    return set_u32(text, 10 * 24 * 3600, &d->subscriber.rau_tau_timer_s, why);
}

/* ---- The grammar of `apns` ---- */

static bool is_apn_name(const char *name)
{
    uint8_t labels[APN_SIZE];
    struct writer w = writer_of(labels, sizeof(labels) - 1);

    if (strcmp(name, "*") == 0)
        return true;
    wr_apn(&w, name);
    struct reader r = reader_of(labels, wr_len(&w));
    char again[APN_SIZE];
    rd_apn(&r, again, sizeof(again));
    return name[0] != '\0' && !w.bad && !r.bad;
}

static bool set_apn_number(const char *text, uint64_t least, uint64_t most, uint8_t *value)
{
    uint64_t number;

    if (!read_number(text, most, &number) || number < least)
        return false;
    *value = (uint8_t)number;
    return true;
}

/* One part behind the name. */
static bool set_apn_part(struct hss_apn *apn, const char *part)
{
    for (uint8_t i = 0; i < HSS_PDN_TYPES; i++) {
        if (strcmp(part, pdn_names[i]) == 0) {
            apn->pdn_type = i;
            return true;
        }
    }
    if (strncmp(part, "qci=", 4) == 0)
        return set_apn_number(part + 4, 1, MAX_QCI, &apn->qci);
    if (strncmp(part, "arp=", 4) == 0)
        return set_apn_number(part + 4, 1, 15, &apn->arp_priority);
    if (strncmp(part, "ul=", 3) == 0)
        return read_rate(part + 3, &apn->ambr_ul);
    if (strncmp(part, "dl=", 3) == 0)
        return read_rate(part + 3, &apn->ambr_dl);
    if (strcmp(part, "preempt") == 0)
        return apn->may_pre_empt = true;
    if (strcmp(part, "fixed") == 0) {
        apn->may_be_pre_empted = false;
        return true;
    }
    if (inet_pton(AF_INET, part, &apn->ipv4) == 1)
        return apn->has_ipv4 = true;
    if (inet_pton(AF_INET6, part, &apn->ipv6) == 1)
        return apn->has_ipv6 = true;
    return false;
}

static bool set_apn(struct hss_apn *apn, char *spec, struct text *why)
{
    char *save = NULL;
    char *name = strtok_r(spec, "/", &save);

    *apn = (struct hss_apn){.pdn_type = S6A_PDN_IPV4V6,
                            .qci = DEFAULT_QCI,
                            .arp_priority = DEFAULT_PRIORITY,
                            .may_be_pre_empted = true};
    if (!name || !is_apn_name(name)) {
        text_add(why, "'%.40s' is no access point name", name ? name : "");
        return false;
    }
    strcpy(apn->name, name);
    for (char *part = strtok_r(NULL, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (!set_apn_part(apn, part)) {
            text_add(why, "'%.40s' of APN %s", part, name);
            return false;
        }
    }
    if ((apn->has_ipv4 && apn->pdn_type == S6A_PDN_IPV6) ||
        (apn->has_ipv6 && apn->pdn_type == S6A_PDN_IPV4)) {
        text_add(why, "the static address of APN %s does not fit its type", name);
        return false;
    }
    return true;
}

static bool set_apns(struct hss_draft *d, const char *text, struct text *why)
{
    char copy[MAX_APNS_TEXT];
    char *save = NULL;
    struct hss_subscriber *s = &d->subscriber;

    if (strlen(text) >= sizeof(copy)) {
        text_add(why, "%zu characters", strlen(text));
        return false;
    }
    strcpy(copy, text);
    s->apn_count = 0;
    for (char *spec = strtok_r(copy, "; ", &save); spec; spec = strtok_r(NULL, "; ", &save)) {
        if (s->apn_count == HSS_MAX_APNS) {
            text_add(why, "more than %d APNs", HSS_MAX_APNS);
            return false;
        }
        if (!set_apn(&s->apns[s->apn_count], spec, why))
            return false;
        for (size_t i = 0; i < s->apn_count; i++) {
            if (strcasecmp(s->apns[i].name, s->apns[s->apn_count].name) == 0) {
                text_add(why, "APN %s twice", s->apns[i].name);
                return false;
            }
        }
        s->apn_count++;
    }
    /* "none": a subscriber without EPS subscription. */
    if (s->apn_count == 1 && strcmp(s->apns[0].name, "none") == 0)
        s->apn_count = 0;
    return d->has_apns = true;
}

const struct hss_field hss_fields[] = {
    {"imsi", "6 to 15 digits", false, set_imsi},
    {"k", "32 hexadecimal digits", true, set_k},
    {"opc", "32 hexadecimal digits", true, set_opc},
    {"op", "32 hexadecimal digits", true, set_op},
    {"amf", "4 hexadecimal digits", false, set_amf},
    {"sqn", "1 to 12 hexadecimal digits", false, set_sqn},
    {"msisdn", "up to 15 digits", false, set_msisdn},
    {"apns",
     "NAME[/ipv4|ipv6|ipv4v6][/ADDRESS][/qci=N][/arp=N][/ul=RATE][/dl=RATE][/preempt][/fixed];..., "
     "or none",
     false, set_apns},
    {"ambr_ul", "a bit rate (100k, 50M, 1G)", false, set_ambr_ul},
    {"ambr_dl", "a bit rate (100k, 50M, 1G)", false, set_ambr_dl},
    {"status", "granted or barred", false, set_status},
    {"access_restriction", "a number: the bits of Access-Restriction-Data", false,
     set_access_restriction},
    {"rfsp", "a number (1..256), 0 for none", false, set_rfsp},
    {"rau_tau_timer", "seconds (up to 10 days), 0 for the MME's own", false, set_rau_tau_timer},
};
const size_t hss_field_count = sizeof(hss_fields) / sizeof(hss_fields[0]);

const struct hss_field *hss_field_find(const char *name)
{
    for (size_t i = 0; i < hss_field_count; i++) {
        if (strcasecmp(hss_fields[i].name, name) == 0)
            return &hss_fields[i];
    }
    return NULL;
}

/* ---- Drafts ---- */

bool hss_draft_set(struct hss_draft *draft, const struct hss_field *field, const char *text,
                   struct text *why)
{
    char more[160];
    struct text reason = text_in(more, sizeof(more));

    if (text[0] == '\0' || field->set(draft, text, &reason))
        return true;
    text_add(why, "%s: %s%sexpected %s", field->name, more, more[0] ? ", " : "", field->expected);
    return false;
}

bool hss_draft_finish(struct hss_draft *draft, const struct hss_profile *profile, struct text *why)
{
    struct hss_subscriber *s = &draft->subscriber;
    char more[160];
    struct text reason = text_in(more, sizeof(more));

    if (s->imsi[0] == '\0') {
        text_add(why, "imsi: missing, expected 6 to 15 digits");
        return false;
    }
    if (!draft->has_k) {
        text_add(why, "k: missing, expected 32 hexadecimal digits");
        return false;
    }
    if (draft->has_op == draft->has_opc) {
        text_add(why, draft->has_op ? "op and opc: both are given, expected one of them"
                                    : "op or opc: missing, expected 32 hexadecimal digits");
        return false;
    }
    if (draft->has_op && milenage_opc(s->k, draft->op, s->opc) < 0) {
        text_add(why, "op: OPc cannot be computed");
        return false;
    }
    crypto_wipe(draft->op, sizeof(draft->op));
    if (!draft->has_amf)
        s->amf = HSS_DEFAULT_AMF;
    if (!draft->has_ambr_ul)
        s->ambr_ul = profile->ambr_ul;
    if (!draft->has_ambr_dl)
        s->ambr_dl = profile->ambr_dl;
    if (!draft->has_apns && !set_apns(draft, profile->apns, &reason)) {
        text_add(why, "the default profile's apns: %s", more);
        return false;
    }
    for (size_t i = 0; i < s->apn_count; i++) {
        struct hss_apn *apn = &s->apns[i];
        apn->ambr_ul = apn->ambr_ul ? apn->ambr_ul : s->ambr_ul;
        apn->ambr_dl = apn->ambr_dl ? apn->ambr_dl : s->ambr_dl;
    }
    return true;
}

bool hss_record_from_json(const json_t *object, const struct hss_profile *profile,
                          struct hss_subscriber *subscriber, struct text *why)
{
    struct hss_draft draft = {0};
    const char *key;
    json_t *value;
    bool good = json_is_object(object);

    if (!good)
        text_add(why, "expected an object of fields");
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const struct hss_field *field = hss_field_find(key);
        if (!field || !json_is_string(value)) {
            text_add(why, "'%.40s': %s", key, field ? "expected a text" : "there is no such field");
            good = false;
            break;
        }
        if (!hss_draft_set(&draft, field, json_string_value(value), why)) {
            good = false;
            break;
        }
    }
    good = good && hss_draft_finish(&draft, profile, why);
    if (good)
        *subscriber = draft.subscriber;
    crypto_wipe(&draft, sizeof(draft));
    return good;
}

/* ---- Showing ---- */

static void print_rate(struct text *t, const char *name, uint64_t rate)
{
    static const struct {
        uint64_t unit;
        const char *suffix;
    } units[] = {{1000000000, "G"}, {1000000, "M"}, {1000, "k"}, {1, ""}};
    size_t i = 0;

    while (rate % units[i].unit != 0 || (rate == 0 && units[i].unit > 1))
        i++;
    text_add(t, "%s%llu%s", name, (unsigned long long)(rate / units[i].unit), units[i].suffix);
}

static void print_address(struct text *t, int family, const void *address)
{
    char printed[INET6_ADDRSTRLEN];

    text_add(t, "/%s", inet_ntop(family, address, printed, sizeof(printed)));
}

void hss_print_apns(struct text *t, const struct hss_subscriber *subscriber)
{
    if (subscriber->apn_count == 0)
        text_add(t, "none");
    for (size_t i = 0; i < subscriber->apn_count; i++) {
        const struct hss_apn *apn = &subscriber->apns[i];
        text_add(t, "%s%s/%s", i ? ";" : "", apn->name, pdn_names[apn->pdn_type % HSS_PDN_TYPES]);
        if (apn->has_ipv4)
            print_address(t, AF_INET, &apn->ipv4);
        if (apn->has_ipv6)
            print_address(t, AF_INET6, &apn->ipv6);
        text_add(t, "/qci=%u/arp=%u", apn->qci, apn->arp_priority);
        print_rate(t, "/ul=", apn->ambr_ul);
        print_rate(t, "/dl=", apn->ambr_dl);
        text_add(t, "%s%s", apn->may_pre_empt ? "/preempt" : "",
                 apn->may_be_pre_empted ? "" : "/fixed");
    }
}

static json_t *rate_json(uint64_t rate)
{
    char buffer[32];
    struct text t = text_in(buffer, sizeof(buffer));

    print_rate(&t, "", rate);
    return json_string(buffer);
}

json_t *hss_record_to_json(const struct hss_subscriber *subscriber, const char *mme_host)
{
    char apns[MAX_APNS_TEXT];
    char amf[8];
    struct text t = text_in(apns, sizeof(apns));
    struct text a = text_in(amf, sizeof(amf));

    hss_print_apns(&t, subscriber);
    text_add(&a, "%04x", subscriber->amf);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:I, s:I, s:s, s:b}", "imsi", subscriber->imsi,
        "msisdn", subscriber->msisdn, "status", subscriber->barred ? "barred" : "granted", "apns",
        apns, "ambr_ul", rate_json(subscriber->ambr_ul), "ambr_dl", rate_json(subscriber->ambr_dl),
        "amf", amf, "access_restriction", (json_int_t)subscriber->access_restriction, "rfsp",
        (json_int_t)subscriber->rfsp, "rau_tau_timer", (json_int_t)subscriber->rau_tau_timer_s,
        "mme", mme_host ? mme_host : "", "purged", subscriber->purged);
}
