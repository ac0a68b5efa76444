/*
 * ofctl_session.c -- see ofctl.h: the channel to the switch, requests and their answers, changes
 * sent one behind the other.
 *
 * A change (flow mod, group mod ...) has no answer when it succeeds. So changes are sent without
 * waiting, each with the next transaction id, which is kept with the line that it came from; a
 * barrier at the end says that all are done, and an error that came before it names its change by
 * the id. In a bundle the same messages are packed into BUNDLE_ADDs, and the commit takes the
 * barrier's place.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch/ofctl.h"

#define ARENA_LIMIT     (64u << 20)
#define DUMP_MS         600000     /* for all parts of a dump */
#define CHANGES_MS      600000     /* for the barrier behind many changes */
#define QUEUE_FULL      (4u << 20) /* octets that wait to be written: pause */
#define QUEUE_DRAINED   (1u << 20) /* go on */
#define PAUSE_MS        1
#define BUNDLE_ADD_HEAD 32 /* octets around a message in a bundle, and some */

/* ---- errors ---- */

/* "BAD_MATCH/BAD_PREREQ". */
static void print_error(struct text *t, const struct of_error_message *e)
{
    of_print_error(t, OF_ERROR(e->type, e->code));
}

static const struct ofctl_sent *find_sent(const struct ofctl *c, uint32_t xid)
{
    size_t low = 0, high = c->sent_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->sent[middle].xid == xid)
            return &c->sent[middle];
        if (c->sent[middle].xid < xid)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* What was refused, as far as the error quotes it. */
static void print_refused(struct ofctl *c, struct text *t, struct bytes data)
{
    struct of_message m;
    of_error why;

    if (data.len >= OFP_HEADER_SIZE && of_decode(&m, data, &c->arena, &why) == 0) {
        text_add(t, "\n  ");
        of_print(t, &m);
    }
}

/* An error that no request waits for: of a change. The first is told. */
static void change_refused(struct ofctl *c, uint32_t xid, const struct of_error_message *e)
{
    const struct ofctl_sent *sent = find_sent(c, xid);
    char buffer[2048];
    struct text t = text_in(buffer, sizeof(buffer));

    if (c->refused++ > 0)
        return;
    if (sent && c->file)
        text_add(&t, "%s:%u: ", c->file, sent->line);
    text_add(&t, "the switch refused this with ");
    print_error(&t, e);
    print_refused(c, &t, e->data);
    ofctl_fail("%s", buffer);
}

/* ---- the channel ---- */

static void channel_up(struct openflow_channel *channel)
{
    struct ofctl *c = openflow_channel_context(channel);

    c->is_up = true;
    await_deliver(&c->up, NULL);
}

static void channel_down(struct openflow_channel *channel, int reason)
{
    struct ofctl *c = openflow_channel_context(channel);

    c->down = reason;
}

static void channel_failed(struct openflow_channel *channel, int reason)
{
    struct ofctl *c = openflow_channel_context(channel);

    c->down = reason;
    await_fail(&c->up, reason);
}

static void received(struct openflow_channel *channel, const struct openflow_header *header,
                     struct bytes message)
{
    struct ofctl *c = openflow_channel_context(channel);
    struct of_message m;
    of_error why;

    if (header->type != OFPT_ERROR && !c->receive)
        return;
    arena_reset(&c->arena);
    if (of_decode(&m, message, &c->arena, &why) < 0)
        return;
    if (m.type == OFPT_ERROR)
        change_refused(c, m.xid, &m.error);
    else
        c->receive(c, &m);
}

static const struct openflow_user user = {channel_up, received, channel_down, channel_failed};

int ofctl_connect(struct ofctl *c, const struct sockaddr *address)
{
    struct openflow_options options = {.user = &user, .context = c};
    int err;

    arena_init(&c->arena, ARENA_LIMIT);
    arena_init(&c->port_arena, ARENA_LIMIT);
    if (!(c->buffer = malloc(OFP_MAX_MESSAGE)))
        return ofctl_fail("no memory");
    err = openflow_connect(&c->channel, address, &options);
    /* What can be known at once (a Unix socket that is not there) was told before we wait. */
    if (err == 0 && c->down < 0)
        err = c->down;
    if (err == 0 && !c->is_up)
        err = await(&c->up, (int)c->options.timeout_ms, NULL);
    if (err == -EPROTO)
        return ofctl_fail("%s does not speak OpenFlow 1.3 (Open vSwitch: ovs-vsctl set bridge "
                          "BRIDGE protocols=OpenFlow13)",
                          c->target);
    if (err < 0)
        return ofctl_fail(
            "no OpenFlow at %s: %s (a Strowger switch needs `listen: [ADDRESS:PORT]`, "
            "Open vSwitch ptcp:PORT)",
            c->target, strerror(-err));
    return 0;
}

void ofctl_close(struct ofctl *c)
{
    if (c->channel)
        openflow_close(c->channel);
    free(c->buffer);
    free(c->sent);
    arena_free(&c->arena);
    arena_free(&c->port_arena);
}

static int lost(const struct ofctl *c, int err)
{
    return ofctl_fail("%s: %s", c->target,
                      err == -ETIMEDOUT    ? "no answer in time (--timeout SECONDS gives it more)"
                      : err == -ECONNRESET ? "the switch closed the connection"
                                           : strerror(-err));
}

/* ---- requests ---- */

static struct bytes encode(struct ofctl *c, struct of_message *m)
{
    struct writer w = writer_of(c->buffer, OFP_MAX_MESSAGE);

    of_encode(&w, m);
    return w.bad ? bytes_of(NULL, 0) : wr_view(&w);
}

static int too_long(void)
{
    return ofctl_fail("this does not fit into an OpenFlow message (%d octets)", OFP_MAX_MESSAGE);
}

int ofctl_request(struct ofctl *c, struct of_message *m, struct of_message *answer)
{
    struct bytes message = encode(c, m), reply;
    struct openflow_header header;
    char buffer[256];
    struct text t = text_in(buffer, sizeof(buffer));
    of_error why;
    int err;

    if (!message.at)
        return too_long();
    err = openflow_request(c->channel, message, (int)c->options.timeout_ms, &header, &reply);
    if (err < 0)
        return lost(c, err);
    arena_reset(&c->arena);
    if (of_decode(answer, reply, &c->arena, &why) < 0)
        return ofctl_fail("%s answered with a message that is not as the standard has it",
                          c->target);
    if (answer->type != OFPT_ERROR)
        return 0;
    print_error(&t, &answer->error);
    return ofctl_fail("the switch refused %s with %s", of_type_name(m->type), buffer);
}

struct dump {
    struct ofctl *c;
    void (*each)(void *context, const struct of_multipart *part);
    void *context;
    bool malformed;
    bool refused;
};

static void dump_part(void *context, const struct openflow_header *header, struct bytes message)
{
    struct dump *d = context;
    char buffer[256];
    struct text t = text_in(buffer, sizeof(buffer));
    struct of_message m;
    of_error why;

    (void)header;
    arena_reset(&d->c->arena);
    if (of_decode(&m, message, &d->c->arena, &why) < 0) {
        of_print_error(&t, why);
        if (!d->malformed)
            ofctl_fail("a reply of %s can not be read (%s)", d->c->target, buffer);
        d->malformed = true;
    } else if (m.type == OFPT_ERROR) {
        print_error(&t, &m.error);
        ofctl_fail("the switch refused the request with %s", buffer);
        d->refused = true;
    } else if (m.type == OFPT_MULTIPART_REPLY) {
        d->each(d->context, &m.multipart_reply);
    }
}

int ofctl_dump(struct ofctl *c, const struct of_multipart *request,
               void (*each)(void *context, const struct of_multipart *part), void *context)
{
    struct of_message m = {.type = OFPT_MULTIPART_REQUEST, .multipart_request = *request};
    struct dump d = {.c = c, .each = each, .context = context};
    struct bytes message = encode(c, &m);

    if (!message.at)
        return too_long();
    int err = openflow_multipart_request(c->channel, message, DUMP_MS, dump_part, &d);
    if (err < 0 && !d.refused)
        return lost(c, err);
    return err < 0 || d.malformed;
}

/* ---- ports ---- */

static void add_ports(void *context, const struct of_multipart *part)
{
    struct ofctl *c = context;
    size_t count = c->ports.count + part->ports.count;
    struct of_port *at = arena_array(&c->port_arena, count + 1, sizeof(*at));

    if (!at)
        return;
    if (c->ports.count)
        memcpy(at, c->ports.at, c->ports.count * sizeof(*at));
    if (part->ports.count)
        memcpy(at + c->ports.count, part->ports.at, part->ports.count * sizeof(*at));
    c->ports = (struct of_ports){at, count};
}

int ofctl_learn_ports(struct ofctl *c)
{
    struct of_multipart request = {.type = OFPMP_PORT_DESC};

    if (c->ports.at)
        return 0;
    return ofctl_dump(c, &request, add_ports, c);
}

struct of_parser ofctl_parser(struct ofctl *c)
{
    return (struct of_parser){.arena = &c->arena, .ports = c->ports.at ? &c->ports : NULL};
}

/* ---- changes ---- */

static int keep_sent(struct ofctl *c, uint32_t xid, uint32_t line)
{
    if (c->sent_count == c->sent_room) {
        size_t room = c->sent_room ? c->sent_room * 2 : 1024;
        struct ofctl_sent *grown = realloc(c->sent, room * sizeof(*grown));

        if (!grown)
            return ofctl_fail("no memory");
        c->sent = grown;
        c->sent_room = room;
    }
    c->sent[c->sent_count++] = (struct ofctl_sent){xid, line};
    return 0;
}

/* The switch takes what it can; what waits here stays bounded. */
static int wait_for_room(struct ofctl *c)
{
    if (openflow_channel_queued(c->channel) < QUEUE_FULL)
        return 0;
    while (c->down == 0 && openflow_channel_queued(c->channel) > QUEUE_DRAINED)
        if (fiber_sleep(PAUSE_MS) < 0)
            return 1;
    return c->down < 0 ? lost(c, c->down) : 0;
}

static int bundle_control(struct ofctl *c, uint16_t type)
{
    struct of_message m = {.type = OFPT_ONF_BUNDLE_CONTROL,
                           .bundle_control = {.bundle_id = c->bundle_id,
                                              .type = type,
                                              .flags = OFPBF_ATOMIC | OFPBF_ORDERED}};
    struct of_message answer;

    return ofctl_request(c, &m, &answer);
}

int ofctl_changes_begin(struct ofctl *c)
{
    c->sent_count = 0;
    c->refused = 0;
    if (!c->options.bundle)
        return 0;
    c->bundle_id = 1;
    return bundle_control(c, OFPBCT_OPEN_REQUEST);
}

/* Encoded first, then copied at its length: a reservation for the longest message would take a
 * whole chunk of the queue each time. */
static int send_change(struct ofctl *c, const struct of_message *m, struct bytes message)
{
    struct of_message add = {.type = OFPT_ONF_BUNDLE_ADD,
                             .xid = m->xid,
                             .bundle_add = {.bundle_id = c->bundle_id,
                                            .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
                                            .message = message}};
    struct writer w;

    if (!c->bundle_id)
        return openflow_send(c->channel, message);
    w = openflow_reserve(c->channel, message.len + BUNDLE_ADD_HEAD);
    if (!w.bad)
        of_encode(&w, &add);
    return openflow_commit(c->channel, &w);
}

int ofctl_change(struct ofctl *c, struct of_message *m, uint32_t line)
{
    struct bytes message;
    int err;

    if (wait_for_room(c) != 0)
        return 1;
    m->xid = openflow_channel_xid(c->channel);
    message = encode(c, m);
    if (!message.at || (c->bundle_id && message.len + BUNDLE_ADD_HEAD > OFP_MAX_MESSAGE))
        return too_long();
    err = send_change(c, m, message);
    if (err < 0)
        return lost(c, c->down < 0 ? c->down : err);
    return keep_sent(c, m->xid, line);
}

int ofctl_changes_end(struct ofctl *c)
{
    int err = openflow_barrier(c->channel, CHANGES_MS);

    if (err < 0)
        return lost(c, err);
    if (c->bundle_id) {
        if (bundle_control(c, c->refused ? OFPBCT_DISCARD_REQUEST : OFPBCT_COMMIT_REQUEST) != 0 ||
            c->refused)
            return ofctl_fail("nothing was changed");
        return 0;
    }
    if (c->refused > 1)
        return ofctl_fail(
            "%llu of %zu changes were refused; the others are made (--bundle makes all "
            "or none)",
            (unsigned long long)c->refused, c->sent_count);
    return c->refused > 0;
}
