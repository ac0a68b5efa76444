/*
 * pfcp_association.c -- see pfcp_association.h. One fiber per association: it sets it up, then
 * sleeps until something is wrong. A user plane that went silent and comes back with the same
 * recovery time stamp has kept its sessions, so the association just goes on; a new stamp, or "No
 * established PFCP association" in answer to a session request, means setting it up anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "link/pfcp_association.h"

struct pfcp_association {
    struct pfcp_endpoint *endpoint;
    const struct pfcp_association_handler *handler;
    void *owner;
    uint32_t peer;
    uint32_t retry_ms;
    struct fiber *fiber;
    struct await wake;
    bool is_up;
    bool ended;
    bool silent; /* it answers no heartbeats */
    bool renew;  /* the user plane has forgotten us */
    bool has_recovery;
    uint32_t recovery; /* its time stamp when it accepted */
    uint32_t features;
    size_t resource_count;
    struct pfcp_resource resources[PFCP_MAX_RESOURCES];
};

struct udp_peer *pfcp_association_peer(const struct pfcp_association *association)
{
    return udp_peer_get(pfcp_udp(association->endpoint), association->peer);
}

bool pfcp_association_is_up(const struct pfcp_association *association)
{
    return association->is_up;
}

uint32_t pfcp_association_features(const struct pfcp_association *association)
{
    return association->features;
}

const struct pfcp_resource *pfcp_association_resource(const struct pfcp_association *association,
                                                      uint8_t source_interface)
{
    const struct pfcp_resource *for_all = NULL;

    for (size_t i = 0; i < association->resource_count; i++) {
        const struct pfcp_resource *resource = &association->resources[i];
        if (resource->has_source_interface && resource->source_interface == source_interface)
            return resource;
        if (!resource->has_source_interface && !for_all)
            for_all = resource;
    }
    return for_all;
}

static void take_resources(struct pfcp_association *association,
                           const struct pfcp_association_setup_response *response)
{
    association->resource_count = 0;
    for (size_t i = 0; i < response->user_plane_ip_resource_information.count; i++) {
        const struct pfcp_user_plane_ip_resource_information *from =
            &response->user_plane_ip_resource_information.at[i];
        if (association->resource_count == PFCP_MAX_RESOURCES)
            break;
        association->resources[association->resource_count++] = (struct pfcp_resource){
            .has_ipv4 = from->has_ipv4,
            .has_ipv6 = from->has_ipv6,
            .ipv4 = from->ipv4,
            .ipv6 = from->ipv6,
            .teid_range_bits = from->teid_range_bits,
            .teid_range = from->teid_range,
            .has_source_interface = from->has_source_interface,
            .source_interface = from->source_interface,
        };
    }
}

/* Asks once. True when the user plane has accepted; *restarted when it is not the one of before. */
static bool set_up(struct pfcp_association *association, bool *restarted)
{
    static struct log_limit limit;
    struct udp_peer *peer = pfcp_association_peer(association);
    struct pfcp_association_setup_request request = {
        .node_id = pfcp_own_node_id(association->endpoint),
        .recovery_time_stamp = pfcp_own_recovery(association->endpoint),
    };
    struct pfcp_message *answer;
    int err = pfcp_request(peer, 0, PFCP_ASSOCIATION_SETUP_REQUEST, &request, &answer);

    if (err < 0) {
        if (err != -ECANCELED)
            log_limited(&limit, LOG_WARN, "user plane %s does not answer: %s", udp_peer_name(peer),
                        uv_strerror(err));
        return false;
    }
    const struct pfcp_association_setup_response *response = answer->body;
    if (response->cause != PFCP_CAUSE_REQUEST_ACCEPTED) {
        log_limited(&limit, LOG_WARN, "user plane %s refuses the association: cause %u (%s)",
                    udp_peer_name(peer), response->cause, pfcp_cause_name(response->cause));
        return false;
    }
    *restarted = association->has_recovery &&
                 (association->renew || association->recovery != response->recovery_time_stamp);
    association->has_recovery = true;
    association->recovery = response->recovery_time_stamp;
    association->features = response->up_function_features ? *response->up_function_features : 0;
    take_resources(association, response);
    return true;
}

static void go_up(struct pfcp_association *association, bool restarted)
{
    association->is_up = true;
    association->silent = association->renew = false;
    log_info("user plane %s is %s", udp_peer_name(pfcp_association_peer(association)),
             restarted ? "associated anew" : "associated");
    association->handler->up(association->owner, association, restarted);
}

static void go_down(struct pfcp_association *association)
{
    if (!association->is_up)
        return;
    association->is_up = false;
    association->handler->down(association->owner, association);
}

/* Watches an association that is up, until it has to be set up anew or ends. */
static void watch(struct pfcp_association *association)
{
    while (!association->ended && !association->renew) {
        if (!association->silent && association->is_up) {
            await(&association->wake, -1, NULL);
            continue;
        }
        go_down(association);
        if (udp_peer_is_up(pfcp_association_peer(association)))
            go_up(association, false);
        else
            await(&association->wake, (int)association->retry_ms, NULL);
    }
}

static void run(void *argument)
{
    struct pfcp_association *association = argument;
    bool restarted;

    association->fiber = fiber_self();
    while (!association->ended) {
        if (set_up(association, &restarted)) {
            go_up(association, restarted);
            watch(association);
            go_down(association);
        } else if (!association->ended) {
            await(&association->wake, (int)association->retry_ms, NULL);
        }
    }
    udp_peer_release(pfcp_association_peer(association));
    free(association);
}

struct pfcp_association *pfcp_associate(struct pfcp_endpoint *endpoint,
                                        const struct sockaddr *user_plane, uint32_t retry_ms,
                                        const struct pfcp_association_handler *handler, void *owner)
{
    struct udp_peer *peer = pfcp_peer(endpoint, user_plane);
    struct pfcp_association *association = peer ? calloc(1, sizeof(*association)) : NULL;

    if (!association)
        return NULL;
    *association = (struct pfcp_association){
        .endpoint = endpoint,
        .handler = handler,
        .owner = owner,
        .peer = udp_peer_id(peer),
        .retry_ms = retry_ms,
    };
    udp_peer_use(peer);
    if (!fiber_spawn("pfcp association", run, association)) {
        udp_peer_release(peer);
        free(association);
        return NULL;
    }
    return association;
}

void pfcp_association_end(struct pfcp_association *association)
{
    association->ended = true;
    association->is_up = false;
    fiber_cancel(association->fiber);
}

void pfcp_association_peer_restarted(struct pfcp_association *association)
{
    if (!association->is_up)
        return;
    association->renew = true;
    await_deliver(&association->wake, NULL);
}

void pfcp_association_peer_down(struct pfcp_association *association)
{
    association->silent = true;
    await_deliver(&association->wake, NULL);
}
