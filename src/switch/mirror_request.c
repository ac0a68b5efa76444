/*
 * mirror_request.c -- a mirror that is asked for at the control socket: see mirror.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "switch/mirror.h"

static void stream_closed(void *context)
{
    control_stream_close(context);
}

struct mirror_wanted {
    struct datapath *dp;
    struct mirror_options options;
};

static void begin_stream(struct control_stream *stream, void *context)
{
    const struct mirror_wanted *wanted = context;
    int err =
        mirror_open(wanted->dp, &wanted->options, control_stream_fd(stream), stream_closed, stream);

    if (err < 0) {
        log_warn("no mirror: %s", uv_strerror(err));
        control_stream_close(stream);
    }
}

/* A list of names. False after naming the one that no port has. */
static bool take_ports(const struct datapath *dp, const char *list, struct mirror_options *o,
                       char *unknown, size_t size)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        bool found = false;

        for (uint32_t i = 1; i < MAX_PORTS; i++) {
            const struct port *port = datapath_port(dp, i);

            if (port && strlen(port->name) == len && memcmp(port->name, list, len) == 0) {
                o->ports[i / 64] |= UINT64_C(1) << i % 64;
                o->some_ports = found = true;
            }
        }
        if (!found) {
            snprintf(unknown, size, "%.*s", (int)len, list);
            return false;
        }
        list += len + (list[len] == ',');
    }
    return true;
}

static bool take_what(const char *direction, bool drops, uint8_t *what)
{
    static const struct {
        const char *word;
        uint8_t what;
    } words[] = {
        {"in", MIRROR_IN}, {"out", MIRROR_OUT}, {"both", MIRROR_IN | MIRROR_OUT}, {"none", 0}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(direction, words[i].word) == 0) {
            *what = words[i].what | (drops ? MIRROR_DROPS : 0);
            return *what != 0;
        }
    return false;
}

void mirror_answer(struct datapath *dp, const struct control_request *request,
                   struct control_answer *answer)
{
    const char *direction = control_argument(request, "direction");
    const char *snaplen = control_argument(request, "snaplen");
    const char *ports = control_argument(request, "port");
    bool drops = control_argument(request, "drops") != NULL;
    struct mirror_wanted *wanted = calloc(1, sizeof(*wanted));
    unsigned long snap = snaplen ? strtoul(snaplen, NULL, 10) : MIRROR_SNAP_MAX;
    char unknown[64];

    if (!wanted) {
        control_refuse(answer, 503, "no memory");
        return;
    }
    wanted->dp = dp;
    wanted->options.snaplen = snap > MIRROR_SNAP_MAX ? MIRROR_SNAP_MAX : (uint32_t)snap;
    if (!take_what(direction ? direction : drops ? "none" : "both", drops, &wanted->options.what))
        control_refuse(answer, 400, "the direction is none of in, out, both");
    else if (snap == 0)
        control_refuse(answer, 400, "snaplen is a number of bytes");
    else if (!take_ports(dp, ports ? ports : "", &wanted->options, unknown, sizeof(unknown)))
        control_refuse(answer, 404, "there is no port '%s'", unknown);
    else if (mirror_count() == MIRRORS_MAX)
        control_refuse(answer, 503, "there are %u mirrors already", mirror_count());
    else
        answer->stream = begin_stream;
    if (answer->stream)
        answer->stream_context = wanted;
    else
        free(wanted);
}
