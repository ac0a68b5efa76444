/*
 * user_planes.c -- see user_planes.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "link/user_planes.h"

#define CONTEXT_BITS 24 /* of a pool id; its generation is above (base/pool.h) */

struct plane {
    struct user_planes *planes;
    uint8_t number;
    struct pfcp_association *association;
    uint32_t sessions;
    uint64_t *doomed; /* sessions to be deleted when it is back */
    size_t doomed_count, doomed_room;
    struct fiber *undertaker; /* deletes them; NULL: there are none, or it is away */
};

struct user_planes {
    const struct pfcp_path_config *config;
    const struct user_planes_handler *handler;
    void *owner;
    struct pfcp_endpoint *pfcp;
    uint8_t context_bits; /* for the largest context id */
    uint8_t tunnel_bits;
    bool is_closing;
    size_t count;
    struct plane at[USER_PLANES_MAX];
};

/* A user plane that is away for long must not make us grow without end: what is beyond this is left
 * to it. */
#define MAX_DOOMED ((size_t)1000000)

static void remember(struct plane *plane, uint64_t seid)
{
    if (plane->doomed_count == plane->doomed_room) {
        size_t room = plane->doomed_room ? plane->doomed_room * 2 : 16;
        uint64_t *doomed =
            room <= MAX_DOOMED * 2 ? realloc(plane->doomed, room * sizeof(*doomed)) : NULL;
        if (!doomed)
            return;
        plane->doomed = doomed;
        plane->doomed_room = room;
    }
    plane->doomed[plane->doomed_count++] = seid;
}

static void forget_doomed(struct plane *plane)
{
    free(plane->doomed);
    plane->doomed = NULL;
    plane->doomed_count = plane->doomed_room = 0;
}

/* Deletes one after the other; ends when the user plane is gone again. */
static void bury(void *argument)
{
    struct plane *plane = argument;
    struct pfcp_session_deletion_request body = {0};
    struct pfcp_message *answer;

    plane->undertaker = fiber_self();
    while (plane->doomed_count > 0) {
        uint64_t seid = plane->doomed[--plane->doomed_count];
        int err = user_plane_request(plane->planes, plane->number, seid,
                                     PFCP_SESSION_DELETION_REQUEST, &body, &answer);
        if (err == -ETIMEDOUT || err == -ENETUNREACH || err == -ECANCELED) {
            if (!plane->planes->is_closing)
                remember(plane, seid);
            break;
        }
    }
    plane->undertaker = NULL;
    if (plane->doomed_count == 0)
        forget_doomed(plane);
}

static void association_up(void *owner, struct pfcp_association *association, bool restarted)
{
    struct plane *plane = owner;

    plane->association = association;
    if (restarted)
        forget_doomed(plane);
    else if (plane->doomed_count > 0 && !plane->undertaker)
        fiber_spawn("user plane", bury, plane);
    plane->planes->handler->up(plane->planes->owner, plane->number, restarted);
}

static void association_down(void *owner, struct pfcp_association *association)
{
    struct plane *plane = owner;

    (void)association;
    plane->planes->handler->down(plane->planes->owner, plane->number);
}

static const struct pfcp_association_handler association_handler = {association_up,
                                                                    association_down};

static struct plane *plane_of(struct user_planes *planes, const struct udp_peer *peer)
{
    for (size_t i = 0; i < planes->count; i++)
        if (planes->at[i].association && pfcp_association_peer(planes->at[i].association) == peer)
            return &planes->at[i];
    return NULL;
}

/* Requests of a user plane: reports, and what it says about the association. */
static void take_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct pfcp_message *request)
{
    struct user_planes *planes = owner;
    struct plane *plane = plane_of(planes, peer);
    enum pfcp_cause cause = PFCP_CAUSE_REQUEST_ACCEPTED;

    if (!plane) {
        pfcp_refuse(planes->pfcp, transaction, 0, PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION, 0);
        return;
    }
    switch (request->header.type) {
    case PFCP_SESSION_REPORT_REQUEST:
        planes->handler->report(planes->owner, plane->number, request->header.seid, transaction,
                                request->body);
        return;
    case PFCP_ASSOCIATION_RELEASE_REQUEST: /* it leaves us; we ask again until it takes us back */
    case PFCP_ASSOCIATION_UPDATE_REQUEST:
    case PFCP_NODE_REPORT_REQUEST: /* a path of its own failed: the peers' Echoes tell us as well */
        break;
    default:
        cause = PFCP_CAUSE_SERVICE_NOT_SUPPORTED;
        break;
    }
    pfcp_refuse(planes->pfcp, transaction, 0, cause, 0);
    if (request->header.type == PFCP_ASSOCIATION_RELEASE_REQUEST)
        pfcp_association_peer_restarted(plane->association);
}

static const char *subject(void *owner, const struct pfcp_message *request)
{
    const struct user_planes *planes = owner;

    if (request->header.type != PFCP_SESSION_REPORT_REQUEST)
        return "";
    return planes->handler->subject(planes->owner, request->header.seid);
}

static void peer_restarted(void *owner, struct udp_peer *peer)
{
    struct plane *plane = plane_of(owner, peer);

    if (plane)
        pfcp_association_peer_restarted(plane->association);
}

static void peer_down(void *owner, struct udp_peer *peer)
{
    struct plane *plane = plane_of(owner, peer);

    if (plane)
        pfcp_association_peer_down(plane->association);
}

static const struct pfcp_handler pfcp_handler = {
    .request = take_request,
    .subject = subject,
    .peer_restarted = peer_restarted,
    .peer_down = peer_down,
};

static uint8_t bits_for(uint32_t largest)
{
    uint8_t bits = 0;

    while (largest >> bits)
        bits++;
    return bits;
}

static int associate(struct user_planes *planes)
{
    for (size_t i = 0; i < planes->config->user_planes.count; i++) {
        struct plane *plane = &planes->at[i];
        const struct sockaddr *address =
            (const struct sockaddr *)(const void *)&planes->config->user_planes.at[i];
        *plane = (struct plane){.planes = planes, .number = (uint8_t)i};
        plane->association = pfcp_associate(planes->pfcp, address, planes->config->retry_ms,
                                            &association_handler, plane);
        if (!plane->association)
            return -ENOMEM;
        planes->count++;
    }
    return 0;
}

int user_planes_open(const struct pfcp_path_config *config, uint32_t recovery_time_stamp,
                     uint32_t max_contexts, uint8_t tunnel_bits,
                     const struct user_planes_handler *handler, void *owner,
                     struct user_planes **planes)
{
    struct udp_settings settings = pfcp_path_settings(config);

    if (config->user_planes.count > USER_PLANES_MAX)
        return -E2BIG;
    struct user_planes *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->config = config;
    p->handler = handler;
    p->owner = owner;
    p->context_bits = bits_for(max_contexts);
    p->tunnel_bits = tunnel_bits;
    *planes = p;
    int err = config->teid_range_bits + p->context_bits + tunnel_bits > 32 ? -ENOSPC : 0;
    if (err == 0)
        err = pfcp_open((const struct sockaddr *)(const void *)&config->address, &settings,
                        recovery_time_stamp, &pfcp_handler, p, &p->pfcp);
    if (err == 0)
        err = associate(p);
    if (err < 0) {
        user_planes_close(p);
        *planes = NULL;
    }
    return err;
}

void user_planes_close(struct user_planes *planes)
{
    planes->is_closing = true;
    for (size_t i = 0; i < planes->count; i++)
        pfcp_association_end(planes->at[i].association);
    if (planes->pfcp)
        pfcp_close(planes->pfcp);
    for (size_t i = 0; i < planes->count; i++)
        forget_doomed(&planes->at[i]);
    free(planes);
}

struct pfcp_endpoint *user_planes_pfcp(struct user_planes *planes)
{
    return planes->pfcp;
}

bool user_plane_is_up(const struct user_planes *planes, uint8_t plane)
{
    return plane < planes->count && planes->at[plane].association &&
           pfcp_association_is_up(planes->at[plane].association);
}

int user_planes_take(struct user_planes *planes)
{
    int best = -ENETUNREACH;

    for (size_t i = 0; i < planes->count; i++)
        if (user_plane_is_up(planes, (uint8_t)i) &&
            (best < 0 || planes->at[i].sessions < planes->at[best].sessions))
            best = (int)i;
    if (best >= 0)
        planes->at[best].sessions++;
    return best;
}

void user_planes_give_back(struct user_planes *planes, uint8_t plane)
{
    if (plane < planes->count && planes->at[plane].sessions > 0)
        planes->at[plane].sessions--;
}

const char *user_plane_name(const struct user_planes *planes, uint8_t plane)
{
    return plane < planes->count
               ? udp_peer_name(pfcp_association_peer(planes->at[plane].association))
               : "";
}

uint32_t user_plane_sessions(const struct user_planes *planes, uint8_t plane)
{
    return plane < planes->count ? planes->at[plane].sessions : 0;
}

size_t user_planes_count(const struct user_planes *planes)
{
    return planes->count;
}

/* The bits of the range, then of the context's generation as many as there is room for, its place,
 * the tunnel's number. */
static uint32_t make_teid(const struct user_planes *planes, uint8_t range_bits, uint8_t range,
                          uint32_t context, uint8_t tunnel)
{
    uint32_t place = context & ((UINT32_C(1) << CONTEXT_BITS) - 1);
    uint64_t number = (uint64_t)(context >> CONTEXT_BITS) << planes->context_bits | place;
    uint32_t mask = UINT32_MAX >> range_bits;

    number = number << planes->tunnel_bits | tunnel;
    return ((uint32_t)range << 24 & ~mask) | ((uint32_t)number & mask);
}

int user_plane_f_teid(const struct user_planes *planes, uint8_t plane, uint8_t source_interface,
                      uint32_t context, uint8_t tunnel, struct pfcp_f_teid *f_teid)
{
    const struct pfcp_path_config *config = planes->config;
    struct pfcp_resource ours = {.has_ipv4 = config->gtpu.s_addr != 0, .ipv4 = config->gtpu};
    const struct pfcp_resource *lent;

    *f_teid = (struct pfcp_f_teid){0};
    if (!user_plane_is_up(planes, plane))
        return -ENETUNREACH;
    lent = pfcp_association_resource(planes->at[plane].association, source_interface);
    if (!lent && pfcp_association_features(planes->at[plane].association) & PFCP_UP_FTUP) {
        f_teid->choose = f_teid->has_ipv4 = true;
        return 0;
    }
    if (!lent)
        lent = &ours;
    if (!lent->has_ipv4 && !lent->has_ipv6)
        return -ENETUNREACH;
    uint8_t bits = lent->teid_range_bits, range = lent->teid_range;
    if (bits + planes->context_bits + planes->tunnel_bits > 32)
        return -ENOSPC;
    if (bits == 0) {
        bits = config->teid_range_bits;
        range = config->teid_range;
    }
    f_teid->teid = make_teid(planes, bits, range, context, tunnel);
    f_teid->has_ipv4 = lent->has_ipv4;
    f_teid->has_ipv6 = !lent->has_ipv4;
    f_teid->ipv4 = lent->ipv4;
    f_teid->ipv6 = lent->ipv6;
    return 0;
}

/* The cause of any session response. */
static uint8_t cause_of(const struct pfcp_message *message)
{
    switch (message->header.type) {
    case PFCP_SESSION_ESTABLISHMENT_RESPONSE:
        return ((const struct pfcp_session_establishment_response *)message->body)->cause;
    case PFCP_SESSION_MODIFICATION_RESPONSE:
        return ((const struct pfcp_session_modification_response *)message->body)->cause;
    default:
        return ((const struct pfcp_session_deletion_response *)message->body)->cause;
    }
}

int user_plane_request(struct user_planes *planes, uint8_t plane, uint64_t seid,
                       enum pfcp_message_type type, const void *body, struct pfcp_message **answer)
{
    if (!user_plane_is_up(planes, plane))
        return -ENETUNREACH;
    struct pfcp_association *association = planes->at[plane].association;
    int err = pfcp_request(pfcp_association_peer(association), seid, type, body, answer);
    if (err == 0 && cause_of(*answer) == PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION) {
        pfcp_association_peer_restarted(association);
        return -ENETUNREACH;
    }
    return err;
}

int user_plane_delete(struct user_planes *planes, uint8_t plane, uint64_t seid,
                      struct pfcp_message **answer)
{
    struct pfcp_session_deletion_request body = {0};
    int err = user_plane_request(planes, plane, seid, PFCP_SESSION_DELETION_REQUEST, &body, answer);

    if (plane >= planes->count || planes->is_closing)
        return err;
    struct plane *at = &planes->at[plane];
    if (err == -ETIMEDOUT || err == -ENETUNREACH)
        remember(at, seid);
    else if (err == 0 && at->doomed_count > 0 && !at->undertaker)
        fiber_spawn("user plane", bury, at); /* it answers again */
    return err;
}

size_t user_planes_remembered(const struct user_planes *planes)
{
    size_t sum = 0;

    for (size_t i = 0; i < planes->count; i++)
        sum += planes->at[i].doomed_count;
    return sum;
}

int user_plane_error(uint8_t cause)
{
    switch (cause) {
    case PFCP_CAUSE_REQUEST_ACCEPTED:
        return 0;
    case PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND:
        return -ENOENT;
    case PFCP_CAUSE_NO_RESOURCES_AVAILABLE:
    case PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION:
        return -ENOSPC;
    default:
        return -EPROTO;
    }
}

enum gtpc_cause_value user_plane_gtpc_cause(int error)
{
    switch (error) {
    case -ENOSPC:
    case -ENETUNREACH:
    case -ENOBUFS:
        return GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    case -ENOMEM:
        return GTPC_CAUSE_NO_MEMORY_AVAILABLE;
    default:
        return GTPC_CAUSE_SYSTEM_FAILURE;
    }
}

void user_plane_refused(const struct user_planes *planes, uint8_t plane, const char *what,
                        uint8_t cause)
{
    static struct log_limit limit;

    log_limited(&limit, LOG_WARN, "user plane %s refuses session %s: cause %u (%s)",
                user_plane_name(planes, plane), what, cause, pfcp_cause_name(cause));
}

void user_planes_answer_report(struct user_planes *planes, uint32_t transaction, uint64_t up_seid,
                               enum pfcp_cause cause)
{
    pfcp_refuse(planes->pfcp, transaction, up_seid, cause, 0);
}
