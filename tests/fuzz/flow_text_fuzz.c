/*
 * flow_text_fuzz.c -- any characters as a flow, a group or a meter: what is understood must print
 * to something that is understood the same; what is not must be pointed at inside the text.
 */
#include <errno.h>
#include <stdlib.h>

#include "wire/openflow/flow_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct of_parser parser;

static void must_point_inside(const char *s, size_t len)
{
    if (parser.why[0] && (parser.at < s || parser.at + parser.len > s + len))
        abort();
}

static void try_flow(const char *s, size_t len)
{
    static char once[1 << 16], twice[1 << 16];
    struct text t1 = text_in(once, sizeof(once)), t2 = text_in(twice, sizeof(twice));
    struct of_flow_mod mod = {0};

    if (of_parse_flow(&parser, s, len, OF_FLOW_WITH_ACTIONS, &mod) < 0) {
        must_point_inside(s, len);
        return;
    }
    of_print_flow(&t1, &mod);
    mod.command = OFPFC_ADD;
    if (t1.cut || of_parse_flow(&parser, once, t1.len, OF_FLOW_WITH_ACTIONS, &mod) < 0)
        return;
    of_print_flow(&t2, &mod);
    if (strcmp(once, twice) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_group_mod group = {0};
    struct of_meter_mod meter = {0};
    const char *s = (const char *)data;

    arena_init(&arena, 16 << 20);
    parser = (struct of_parser){.arena = &arena};
    try_flow(s, size);
    parser.why[0] = '\0';
    if (of_parse_group(&parser, s, size, &group) == -EINVAL)
        must_point_inside(s, size);
    parser.why[0] = '\0';
    if (of_parse_meter(&parser, s, size, &meter) == -EINVAL)
        must_point_inside(s, size);
    arena_free(&arena);
    return 0;
}
