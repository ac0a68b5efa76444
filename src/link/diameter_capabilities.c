/*
 * diameter_capabilities.c -- who the other side is and what it can do: CER and CEA (RFC 6733
 * clause 5.3).
 *
 * A CER is judged in the order of what may be wrong with it: its form, its sender (known by name,
 * or of our realm where that is enough), security (we use none in band), and the applications that
 * both support; a relay agent supports all. Who is refused is told why, and the connection closes
 * when that has left. What to do with a good one is the state machine's business, in
 * diameter_peer.c.
 */
#include "link/diameter_inner.h"

/* ---- What we tell ---- */

static struct diameter_address address_of(const struct sockaddr_storage *from)
{
    struct diameter_address address = {.family = DIAMETER_ADDRESS_IPV4};

    if (from->ss_family == AF_INET6) {
        address.family = DIAMETER_ADDRESS_IPV6;
        address.ipv6 = ((const struct sockaddr_in6 *)from)->sin6_addr;
    } else if (from->ss_family == AF_INET) {
        address.ipv4 = ((const struct sockaddr_in *)from)->sin_addr;
    }
    return address;
}

/* Lists of what we support, for CER and CEA; lives as long as the message is being built. */
struct capability_lists {
    struct diameter_address address;
    uint32_t vendors[DIAMETER_MAX_APPLICATIONS];
    size_t vendor_count;
    uint32_t plain[DIAMETER_MAX_APPLICATIONS]; /* applications without vendor */
    size_t plain_count;
    uint32_t ids[DIAMETER_MAX_APPLICATIONS];
    struct diameter_vendor_application vendor_applications[DIAMETER_MAX_APPLICATIONS];
    size_t vendor_application_count;
};

static void list_capabilities(const struct diameter_connection *c, struct capability_lists *lists)
{
    const struct diameter_node *node = c->node;

    *lists = (struct capability_lists){.address = address_of(&c->local)};
    for (size_t i = 0; i < node->application_count; i++) {
        const struct diameter_node_application *application = &node->applications[i];
        if (application->vendor == 0) {
            lists->plain[lists->plain_count++] = application->application;
            continue;
        }
        size_t v = 0;
        while (v < lists->vendor_count && lists->vendors[v] != application->vendor)
            v++;
        if (v == lists->vendor_count)
            lists->vendors[lists->vendor_count++] = application->vendor;
        size_t n = lists->vendor_application_count++;
        lists->ids[n] = application->application;
        lists->vendor_applications[n] = (struct diameter_vendor_application){
            .vendor_id = {&lists->vendors[v], 1},
            .auth_application_id = &lists->ids[n],
        };
    }
}

int capabilities_send_cer(struct diameter_connection *c)
{
    struct diameter_node *node = c->node;
    struct capability_lists lists;

    list_capabilities(c, &lists);
    const struct diameter_header header = {
        .hop_by_hop = node_next_hop_by_hop(node),
        .end_to_end = node_next_end_to_end(node),
    };
    const struct diameter_capabilities cer = {
        .origin_host = node->host,
        .origin_realm = node->realm,
        .host_ip_address = {&lists.address, 1},
        .product_name = node->product_name,
        .origin_state_id = &node->origin_state_id,
        .supported_vendor_id = {lists.vendors, lists.vendor_count},
        .auth_application_id = {lists.plain, lists.plain_count},
        .vendor_application = {lists.vendor_applications, lists.vendor_application_count},
    };
    return connection_send(c, &diameter_cer_message, &header, &cer, "");
}

int capabilities_send_cea(struct diameter_connection *c, uint32_t hop_by_hop, uint32_t end_to_end,
                          uint32_t result, struct bytes failed_avp)
{
    struct diameter_node *node = c->node;
    struct capability_lists lists;
    uint32_t vendor = 0;

    list_capabilities(c, &lists);
    const struct diameter_header header = {
        .flags = diameter_result_is_protocol_error(result) ? DIAMETER_FLAG_ERROR : 0,
        .hop_by_hop = hop_by_hop,
        .end_to_end = end_to_end,
    };
    const struct diameter_cea cea = {
        .result_code = result,
        .origin_host = node->host,
        .origin_realm = node->realm,
        .host_ip_address = {&lists.address, 1},
        .vendor_id = &vendor,
        .product_name = &node->product_name,
        .origin_state_id = &node->origin_state_id,
        .failed_avp = failed_avp.len > 0 ? &failed_avp : NULL,
        .supported_vendor_id = {lists.vendors, lists.vendor_count},
        .auth_application_id = {lists.plain, lists.plain_count},
        .vendor_application = {lists.vendor_applications, lists.vendor_application_count},
    };
    return connection_send(c, &diameter_cea_message, &header, &cea, "");
}

/* ---- What they tell ---- */

#define CAPABILITIES_OF(m)                                                                     \
    (struct capabilities)                                                                      \
    {                                                                                          \
        .origin_host = (m)->origin_host, .origin_realm = (m)->origin_realm,                    \
        .origin_state_id = (m)->origin_state_id, .auth = (m)->auth_application_id.at,          \
        .auth_count = (m)->auth_application_id.count, .acct = (m)->acct_application_id.at,     \
        .acct_count = (m)->acct_application_id.count, .security = (m)->inband_security_id.at,  \
        .security_count = (m)->inband_security_id.count, .vendor = (m)->vendor_application.at, \
        .vendor_count = (m)->vendor_application.count                                          \
    }

static bool tells(const struct capabilities *c, uint32_t application)
{
    for (size_t i = 0; i < c->auth_count; i++) {
        if (c->auth[i] == application)
            return true;
    }
    for (size_t i = 0; i < c->acct_count; i++) {
        if (c->acct[i] == application)
            return true;
    }
    for (size_t i = 0; i < c->vendor_count; i++) {
        const struct diameter_vendor_application *v = &c->vendor[i];
        if ((v->auth_application_id && *v->auth_application_id == application) ||
            (v->acct_application_id && *v->acct_application_id == application))
            return true;
    }
    return false;
}

/* Clause 5.3: the applications that both support; a relay supports all. */
static size_t common_applications(const struct diameter_node *node, const struct capabilities *c,
                                  uint32_t *common)
{
    bool relay = tells(c, DIAMETER_APPLICATION_RELAY);
    size_t n = 0;

    for (size_t i = 0; i < node->application_count; i++) {
        if (relay || tells(c, node->applications[i].application))
            common[n++] = node->applications[i].application;
    }
    return n;
}

static bool security_is_none(const struct capabilities *c)
{
    for (size_t i = 0; i < c->security_count; i++) {
        if (c->security[i] == 0) /* NO_INBAND_SECURITY */
            return true;
    }
    return c->security_count == 0;
}

void capabilities_learn(struct diameter_peer *peer, const struct capabilities *c)
{
    peer->common_count = common_applications(peer->node, c, peer->common_applications);
    peer->is_relay = tells(c, DIAMETER_APPLICATION_RELAY);
    peer->origin_state_id = c->origin_state_id ? *c->origin_state_id : 0;
}

/* Process-CER: what is wrong with it, or DIAMETER_SUCCESS and the peer it is from. */
static uint32_t judge_cer(struct diameter_node *node, const struct capabilities *c,
                          struct diameter_peer **peer)
{
    uint32_t common[DIAMETER_MAX_APPLICATIONS];

    if (diameter_identity_equal(c->origin_host, node->host))
        return DIAMETER_UNKNOWN_PEER; /* ourselves, or somebody with our name */
    *peer = node_peer_find(node, c->origin_host);
    if (!*peer && !(node->config->accept_unknown_peers &&
                    diameter_identity_equal(c->origin_realm, node->realm)))
        return DIAMETER_UNKNOWN_PEER;
    if (!security_is_none(c))
        return DIAMETER_NO_COMMON_SECURITY;
    if (common_applications(node, c, common) == 0)
        return DIAMETER_NO_COMMON_APPLICATION;
    if (!*peer)
        *peer = node_peer_add(node, c->origin_host, c->origin_realm);
    return *peer ? DIAMETER_SUCCESS : DIAMETER_UNABLE_TO_COMPLY;
}

static void refuse_cer(struct diameter_connection *c, const struct diameter_envelope *envelope,
                       uint32_t result, struct bytes failed_avp)
{
    static struct log_limit limit;

    log_limited(&limit, LOG_WARN, "Diameter: capabilities of %.*s refused: %s",
                (int)envelope->origin_host.len, (const char *)envelope->origin_host.at,
                diameter_result_name(result));
    (void)capabilities_send_cea(c, envelope->header.hop_by_hop, envelope->header.end_to_end, result,
                                failed_avp);
    connection_close(c, true);
}

bool capabilities_read_cer(struct diameter_connection *c, const struct diameter_envelope *envelope,
                           struct bytes whole, struct capabilities *told,
                           struct diameter_peer **peer)
{
    struct arena *arena = &c->node->arena;
    struct diameter_capabilities *cer = arena_alloc(arena, sizeof(*cer));
    struct wire_context context = {.arena = arena};

    if (!cer || diameter_decode(&diameter_cer_message, whole, cer, &context) < 0) {
        refuse_cer(c, envelope, diameter_fault_result(&context.fault),
                   diameter_fault_avp(&context.fault, arena));
        return false;
    }
    *told = CAPABILITIES_OF(cer);
    uint32_t result = judge_cer(c->node, told, peer);
    if (result != DIAMETER_SUCCESS) {
        refuse_cer(c, envelope, result, bytes_of(NULL, 0));
        return false;
    }
    return true;
}

const char *capabilities_read_cea(struct diameter_connection *c, struct bytes whole,
                                  struct capabilities *told)
{
    struct arena *arena = &c->node->arena;
    struct diameter_cea *cea = arena_alloc(arena, sizeof(*cea));
    struct wire_context context = {.arena = arena};
    uint32_t common[DIAMETER_MAX_APPLICATIONS];

    if (!cea || diameter_decode(&diameter_cea_message, whole, cea, &context) < 0)
        return "a broken answer";
    if (!diameter_result_is_success(cea->result_code))
        return diameter_result_name(cea->result_code);
    if (!diameter_identity_equal(cea->origin_host, diameter_text_of(c->peer->host)))
        return "it has another name";
    *told = CAPABILITIES_OF(cea);
    return common_applications(c->node, told, common) == 0 ? "no application in common" : NULL;
}
