/*
 * ofctl_diff.c -- see ofctl.h: a switch's flows beside those of a file.
 *
 * Both sides become texts in the same words, in two parts: what names a flow (table, priority,
 * match) and what may change about it (cookie, timeouts, flags, actions). Sorted by the first part
 * they are walked in step: what only the file has is to be added, what only the switch has to be
 * taken out, what differs in the second part to be added over the old.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch/ofctl.h"

#define LINE_SIZE    65536
#define ONLY_IN_MODS (OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS) /* a dump may not show them */

struct flow_text {
    char *key;  /* malloc'ed: "table=0,priority=5,ip", and behind its end */
    char *rest; /* "cookie=0x1,idle_timeout=3 actions=output:1" */
    uint32_t line;
};

struct flow_texts {
    struct flow_text *at;
    size_t count, room;
    bool failed; /* memory is out */
};

static void add_text(struct flow_texts *list, const struct of_flow_mod *mod, uint32_t line)
{
    static char buffer[LINE_SIZE];
    struct text t = text_in(buffer, sizeof(buffer));
    struct of_flow_mod rest = *mod;
    size_t key_len;

    text_add(&t, "table=%u,priority=%u%s", mod->table_id, mod->priority,
             mod->match.fields ? "," : "");
    of_print_match(&t, &mod->match);
    key_len = t.len;
    text_add(&t, "%c", '\n');
    memset(&rest.match, 0, sizeof(rest.match));
    rest.flags &= (uint16_t)~ONLY_IN_MODS;
    of_print_flow(&t, &rest);
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 1024;
        struct flow_text *grown = realloc(list->at, room * sizeof(*grown));

        if (!grown) {
            list->failed = true;
            return;
        }
        list->at = grown;
        list->room = room;
    }
    char *key = strdup(buffer);
    if (!key || t.cut) {
        free(key);
        list->failed = true;
        return;
    }
    key[key_len] = '\0';
    list->at[list->count++] = (struct flow_text){key, key + key_len + 1, line};
}

static void free_texts(struct flow_texts *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i].key);
    free(list->at);
}

/* By key; of equal ones the later line last. */
static int by_key(const void *a, const void *b)
{
    const struct flow_text *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sorts; of flows that are named twice the last one counts. */
static void sort_texts(struct flow_texts *list)
{
    size_t kept = 0;

    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof(*list->at), by_key);
    for (size_t i = 0; i < list->count; i++) {
        if (i + 1 < list->count && strcmp(list->at[i].key, list->at[i + 1].key) == 0)
            free(list->at[i].key);
        else
            list->at[kept++] = list->at[i];
    }
    list->count = kept;
}

/* ---- the two sides ---- */

static void add_part(void *context, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->flows.count; i++) {
        const struct of_flow_stats *f = &part->flows.at[i];
        struct of_flow_mod mod = {.cookie = f->cookie,
                                  .table_id = f->table_id,
                                  .priority = f->priority,
                                  .idle_timeout = f->idle_timeout,
                                  .hard_timeout = f->hard_timeout,
                                  .flags = f->flags,
                                  .match = f->match,
                                  .instructions = f->instructions};

        add_text(context, &mod, 0);
    }
}

static int read_switch(struct ofctl *c, struct flow_texts *list)
{
    struct of_multipart request = {
        .type = OFPMP_FLOW,
        .flow_request = {.table_id = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY}};

    return ofctl_dump(c, &request, add_part, list);
}

static int read_line(struct ofctl *c, char *line, uint32_t number, struct flow_texts *list)
{
    struct of_flow_mod mod = {0};
    size_t len = strcspn(line, "#\n");
    struct of_parser p;

    if (strspn(line, " \t\r") >= len || strstr(line, "NXST_FLOW") || strstr(line, "OFPST_FLOW"))
        return 0; /* nothing, or the head of a dump of ovs-ofctl */
    arena_reset(&c->arena);
    p = ofctl_parser(c);
    if (of_parse_flow(&p, line, len, OF_FLOW_WITH_ACTIONS, &mod) < 0)
        return ofctl_fail_at(c, &p, line, len, number);
    add_text(list, &mod, number);
    return 0;
}

static int read_file(struct ofctl *c, const char *name, struct flow_texts *list)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *file = standard ? stdin : fopen(name, "re");
    char *line = NULL;
    size_t room = 0;
    uint32_t number = 0;
    int code = 0;

    if (!file)
        return ofctl_fail("%s: %s", name, strerror(errno));
    c->file = standard ? "(standard input)" : name;
    while (code == 0 && getline(&line, &room, file) >= 0)
        code = read_line(c, line, ++number, list);
    free(line);
    if (!standard)
        fclose(file);
    return code;
}

/* ---- beside each other ---- */

/* What to do with a flow that only one side has, or both differently. NULL: is not there. */
typedef int difference_function(struct ofctl *c, const struct flow_text *have,
                                const struct flow_text *want);

static int walk(struct ofctl *c, const struct flow_texts *have, const struct flow_texts *want,
                difference_function *differs, size_t *differences)
{
    size_t i = 0, j = 0;
    int code = 0;

    while (code == 0 && (i < have->count || j < want->count)) {
        const struct flow_text *h = i < have->count ? &have->at[i] : NULL;
        const struct flow_text *w = j < want->count ? &want->at[j] : NULL;
        int order = !h ? 1 : !w ? -1 : strcmp(h->key, w->key);

        i += order <= 0;
        j += order >= 0;
        if (order == 0 && strcmp(h->rest, w->rest) == 0)
            continue;
        (*differences)++;
        code = differs(c, order <= 0 ? h : NULL, order >= 0 ? w : NULL);
    }
    return code;
}

/* The text of a flow again, for people and for the parser: its key stands in the rest's words for
 * table and priority. */
static void print_text(struct text *t, const struct flow_text *flow)
{
    const char *actions = strstr(flow->rest, " actions=");
    const char *rest = flow->rest;

    text_add(t, "%s", flow->key);
    while (rest < actions) { /* but for table and priority, which the key has */
        size_t len = strcspn(rest, ", ");

        if (strncmp(rest, "table=", 6) != 0 && strncmp(rest, "priority=", 9) != 0)
            text_add(t, ",%.*s", (int)len, rest);
        rest += len + 1;
    }
    text_add(t, "%s", actions ? actions : "");
}

static int print_difference(struct ofctl *c, const struct flow_text *have,
                            const struct flow_text *want)
{
    static char buffer[LINE_SIZE], named[LINE_SIZE];
    struct text t = text_in(buffer, sizeof(buffer));

    if (have) {
        print_text(&t, have);
        fprintf(c->out, "-%s\n", ofctl_named(c, buffer, named, sizeof(named)));
    }
    if (want) {
        t = text_in(buffer, sizeof(buffer));
        print_text(&t, want);
        fprintf(c->out, "+%s\n", ofctl_named(c, buffer, named, sizeof(named)));
    }
    return 0;
}

static int make_equal(struct ofctl *c, const struct flow_text *have, const struct flow_text *want)
{
    static char buffer[LINE_SIZE];
    struct text t = text_in(buffer, sizeof(buffer));
    struct of_message m = {.type = OFPT_FLOW_MOD};
    struct of_parser p;

    arena_reset(&c->arena);
    p = ofctl_parser(c);
    m.flow_mod.command = want ? OFPFC_ADD : OFPFC_DELETE_STRICT;
    if (want)
        print_text(&t, want);
    else if (have)
        text_add(&t, "%s", have->key);
    if (of_parse_flow(&p, buffer, t.len, want ? OF_FLOW_WITH_ACTIONS : OF_FLOW_WITHOUT_ACTIONS,
                      &m.flow_mod) < 0)
        return ofctl_fail_at(c, &p, buffer, t.len, 0);
    return ofctl_change(c, &m, want ? want->line : 0);
}

static int read_both(struct ofctl *c, const char *name, struct flow_texts *have,
                     struct flow_texts *want)
{
    int code = read_file(c, name, want);

    if (code == 0)
        code = read_switch(c, have);
    if (code == 0 && (have->failed || want->failed))
        code = ofctl_fail("no memory");
    if (code == 0) {
        sort_texts(have);
        sort_texts(want);
    }
    return code;
}

int ofctl_diff_flows(struct ofctl *c, int argc, char **argv)
{
    struct flow_texts have = {0}, want = {0};
    size_t differences = 0;
    int code = read_both(c, argv[0], &have, &want);

    (void)argc;
    if (code == 0)
        code = walk(c, &have, &want, print_difference, &differences);
    free_texts(&have);
    free_texts(&want);
    return code ? code : differences ? 2 : 0;
}

int ofctl_replace_flows(struct ofctl *c, int argc, char **argv)
{
    struct flow_texts have = {0}, want = {0};
    size_t differences = 0;
    int code = read_both(c, argv[0], &have, &want);

    (void)argc;
    if (code == 0)
        code = ofctl_changes_begin(c);
    if (code == 0)
        code = walk(c, &have, &want, make_equal, &differences);
    if (code == 0)
        code = ofctl_changes_end(c);
    free_texts(&have);
    free_texts(&want);
    return code;
}
