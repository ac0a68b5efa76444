/*
 * ladder.c -- see ladder.h.
 *
 * Elements are told apart by blanks outside of braces, brackets, parentheses and quotes. A word
 * without
 * '=' belongs to the element before it (`cause=Request accepted`), or to the message's name when it
 * is among the first.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "manager/ladder.h"

/* ---- taking apart ---- */

struct element {
    const char *at;
    size_t len, key; /* of the whole, and of what stands before '=' (0: a name's word) */
};

static bool opens(char c)
{
    return c == '{' || c == '[' || c == '(';
}

static bool closes(char c)
{
    return c == '}' || c == ']' || c == ')';
}

/* The word that begins here. */
static struct element word_at(const char *at)
{
    struct element e = {.at = at};
    int depth = 0;
    bool quoted = false;

    for (; at[e.len]; e.len++) {
        char c = at[e.len];
        if (c == ' ' && depth == 0 && !quoted)
            break;
        quoted ^= c == '"';
        depth += !quoted && opens(c);
        depth -= !quoted && closes(c) && depth > 0;
        if (c == '=' && depth == 0 && !quoted && e.key == 0)
            e.key = e.len;
    }
    return e;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " ");
}

/* The next element with all words that belong to it; len 0 at the end. */
static struct element next_element(const char **at)
{
    *at = skip_blanks(*at);
    struct element e = word_at(*at);
    const char *next = skip_blanks(e.at + e.len);

    while (*next) {
        struct element more = word_at(next);
        if (more.key > 0)
            break;
        e.len = (size_t)(more.at - e.at) + more.len;
        next = skip_blanks(e.at + e.len);
    }
    *at = next;
    return e;
}

static bool has_key(const struct element *e, const char *key)
{
    return strlen(key) == e->key && strncmp(e->at, key, e->key) == 0;
}

/* ---- what the elements mean ---- */

/* How it ended, or why it was begun. */
static const char *const causes[] = {
    "cause", "Result-Code", "Experimental-Result", "emm_cause", "esm_cause", "fault",
};

/* What other columns tell, and what only transactions need. */
static const struct {
    const char *protocol, *key;
} left_out[] = {
    {"S1AP", "mme_ue_s1ap_id"},
    {"S1AP", "enb_ue_s1ap_id"},
    {"S1AP", "nas_pdu"}, /* the next line tells it, deciphered */
    {"S1AP", "eutran_cgi"},
    {"Diameter", "Session-Id"},
    {"Diameter", "Vendor-Specific-Application-Id"},
    {"Diameter", "Auth-Session-State"},
    {"Diameter", "Origin-Host"},
    {"Diameter", "Origin-Realm"},
    {"Diameter", "Destination-Host"},
    {"Diameter", "Destination-Realm"},
    {"Diameter", "User-Name"},
    {"GTPv2", "teid"},
    {"GTPv2", "seq"},
    {"GTPv2", "imsi"},
    {"PFCP", "seid"},
    {"PFCP", "seq"},
    {"PFCP", "node_id"},
    {"OpenFlow", "cookie"},
};

static bool is_cause(const struct element *e)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (has_key(e, causes[i]))
            return true;
    }
    return false;
}

static bool is_left_out(const char *protocol, const struct element *e)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (strcmp(left_out[i].protocol, protocol) == 0 && has_key(e, left_out[i].key))
            return true;
    }
    return false;
}

static void append(struct text *t, const struct element *e)
{
    text_add(t, "%s%.*s", t->len > 0 ? " " : "", (int)e->len, e->at);
}

/* ---- the outcome ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Names that say themselves how it ended. */
static const struct {
    const char *protocol, *part;
    enum ladder_outcome outcome;
} telling[] = {
    {"NAS", " reject", LADDER_REJECTED},
    {"NAS", " failure", LADDER_REJECTED},
    {"NAS", " status", LADDER_REJECTED},
    {"NAS", "malformed", LADDER_REJECTED},
    {"NAS", "fault:", LADDER_REJECTED},
    {"NAS", " accept", LADDER_ACCEPTED},
    {"S1AP", " Failure", LADDER_REJECTED},
    {"S1AP", "Error Indication", LADDER_REJECTED},
    {"S1AP", "Non Delivery", LADDER_REJECTED},
    {"S1AP", "reject", LADDER_REJECTED}, /* the verdict on what could not be decoded */
    {"GTP-U", "Error Indication", LADDER_REJECTED},
    {"GTPv2", "Version Not Supported", LADDER_REJECTED},
    {"PFCP", "Version Not Supported", LADDER_REJECTED},
    {"OpenFlow", "ERROR", LADDER_REJECTED},
    {"OpenFlow", "malformed", LADDER_REJECTED},
};

static enum ladder_outcome told_by_name(const char *protocol, const char *name)
{
    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        if (strcmp(telling[i].protocol, protocol) == 0 && strstr(name, telling[i].part))
            return telling[i].outcome;
    }
    return LADDER_NEUTRAL;
}

static bool is_answer(const char *name)
{
    return ends_with(name, "Response") || ends_with(name, "Acknowledge");
}

/* TS 29.274 table 8.4-1: 16 to 63 are acceptances, in answers. */
static enum ladder_outcome gtpc_outcome(const char *name, const char *value)
{
    unsigned long cause = strtoul(value, NULL, 10);

    if (!is_answer(name))
        return LADDER_CAUSE;
    return cause >= 16 && cause < 64 ? LADDER_ACCEPTED : LADDER_REJECTED;
}

static enum ladder_outcome pfcp_outcome(const char *name, const char *value)
{
    if (!is_answer(name))
        return LADDER_CAUSE;
    return strncmp(value, "Request accepted", 16) == 0 ? LADDER_ACCEPTED : LADDER_REJECTED;
}

/* RFC 6733 clause 7.1: 1xxx informs, 2xxx is success. The number stands in parentheses, or alone.
 */
static enum ladder_outcome diameter_outcome(const char *name, const char *value)
{
    size_t end = strcspn(value, " ");
    unsigned long code = 0;

    (void)name;
    for (size_t i = 0; i < end; i++) {
        if (isdigit((unsigned char)value[i])) {
            code = strtoul(value + i, NULL, 10);
            if (code >= 1000 && code < 10000)
                break;
        }
        if (value[i] ==
            '{') /* Experimental-Result={Vendor-Id=10415 Experimental-Result-Code=...} */
            end = strlen(value);
    }
    if (code < 2000)
        return LADDER_CAUSE;
    return code < 3000 ? LADDER_ACCEPTED : LADDER_REJECTED;
}

static const struct {
    const char *protocol;
    enum ladder_outcome (*judge)(const char *name, const char *value);
} judges[] = {
    {"GTPv2", gtpc_outcome},
    {"PFCP", pfcp_outcome},
    {"Diameter", diameter_outcome},
};

static enum ladder_outcome told_by_cause(const char *protocol, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]); i++) {
        if (strcmp(judges[i].protocol, protocol) == 0)
            return judges[i].judge(name, value);
    }
    return LADDER_CAUSE;
}

static void weigh(struct ladder_message *m, enum ladder_outcome outcome)
{
    if (outcome > m->outcome)
        m->outcome = outcome;
}

/* ---- together ---- */

void ladder_read(struct ladder_message *m, const char *protocol, const char *words, bool whole)
{
    const char *at = skip_blanks(words);
    struct element e = next_element(&at);

    m->outcome = LADDER_NEUTRAL;
    if (e.key == 0) {
        append(&m->name, &e);
        e = next_element(&at);
    }
    weigh(m, told_by_name(protocol, m->name.at));
    for (; e.len > 0; e = next_element(&at)) {
        if (is_cause(&e)) {
            append(&m->cause, &e);
            weigh(m, told_by_cause(protocol, m->name.at, e.at + e.key + 1));
        } else if (e.key > 0 && memmem(e.at, e.key, "failed_to", 9)) { /* a list of bearers */
            append(&m->cause, &e);
            weigh(m, LADDER_REJECTED);
        } else if (whole || !is_left_out(protocol, &e)) {
            append(&m->rest, &e);
        }
    }
}

const char *ladder_outcome_name(enum ladder_outcome outcome)
{
    static const char *const names[] = {
        [LADDER_NEUTRAL] = "",
        [LADDER_CAUSE] = "cause",
        [LADDER_ACCEPTED] = "accepted",
        [LADDER_REJECTED] = "rejected",
    };

    return names[outcome];
}
