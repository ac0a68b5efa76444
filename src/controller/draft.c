/*
 * draft.c -- from PFCP requests to a session's rules (TS 29.244 clauses 5.2 and 7.5); rules.h tells
 * the idea.
 *
 * A request is applied to a draft: the old rules unpacked into arrays of full size. First
 * everything is removed, then created, then updated, then the whole is looked at; whatever is wrong
 * first fills the refusal, and the draft is thrown away with the TEIDs and meters that were taken
 * for it. What is right is packed into a block of exactly its size.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/rules.h"

struct draft {
    const struct up_environment *env;
    uint64_t now_s;
    const struct up_rules *old; /* NULL: a new session */
    struct up_rules rules;      /* its pointers are the arrays below */
    struct up_orders *orders;
    struct up_refusal *why;
    struct up_pdr pdrs[UP_MAX_PDRS];
    struct up_far fars[UP_MAX_FARS];
    struct up_qer qers[UP_MAX_QERS];
    struct up_urr urrs[UP_MAX_URRS];
    struct up_filter filters[UP_MAX_FILTERS];
};

/* ---- refusing; all return false ---- */

static bool refuse(struct draft *d, enum pfcp_cause cause, uint16_t offending_ie)
{
    *d->why = (struct up_refusal){.cause = cause, .offending_ie = offending_ie};
    return false;
}

static bool refuse_rule(struct draft *d, enum pfcp_rule_type type, uint32_t id)
{
    *d->why = (struct up_refusal){.cause = PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE,
                                  .has_rule = true,
                                  .rule = {type, id}};
    return false;
}

static bool refuse_full(struct draft *d)
{
    return refuse(d, PFCP_CAUSE_NO_RESOURCES_AVAILABLE, 0);
}

/* ---- finding ---- */

/* The draft's own, which may be written. */
static struct up_pdr *draft_pdr(struct draft *d, uint16_t id)
{
    return (struct up_pdr *)(uintptr_t)up_pdr_of(&d->rules, id);
}

static struct up_far *draft_far(struct draft *d, uint32_t id)
{
    return (struct up_far *)(uintptr_t)up_far_of(&d->rules, id);
}

static struct up_qer *draft_qer(struct draft *d, uint32_t id)
{
    return (struct up_qer *)(uintptr_t)up_qer_of(&d->rules, id);
}

/* ---- PDRs ---- */

static uint8_t exit_told(struct draft *d, const struct bytes *network_instance)
{
    return network_instance ? d->env->exit_of(d->env->context, network_instance) : UP_NO_EXIT;
}

/* The F-TEID that another PDR of this request was given for the same CHOOSE ID (clause 8.2.3). */
static const struct up_pdr *chosen_alike(const struct draft *d, const struct up_pdr *pdr)
{
    for (unsigned i = 0; i < d->rules.pdr_count; i++) {
        const struct up_pdr *other = &d->pdrs[i];
        if (other != pdr && other->has_teid && other->has_choose_id &&
            other->choose_id == pdr->choose_id)
            return other;
    }
    return NULL;
}

/* A TEID that the control plane names: one that the session has already, or that nobody has. */
static bool may_use(struct draft *d, const struct pfcp_f_teid *f)
{
    if (f->ipv4.s_addr != d->env->address.s_addr)
        return false;
    return up_rules_use_teid(&d->rules, f->teid) ||
           (d->old && up_rules_use_teid(d->old, f->teid)) ||
           up_teid_claim(d->env->teids, f->teid) == 0;
}

/* Clause 5.5.3: the user plane chooses, or the control plane says which. */
static bool take_f_teid(struct draft *d, struct up_pdr *pdr, const struct pfcp_f_teid *f)
{
    if (!f->has_ipv4 || (!f->choose && !may_use(d, f)))
        return refuse(d, PFCP_CAUSE_INVALID_F_TEID_ALLOCATION_OPTION, PFCP_IE_F_TEID);
    pdr->has_teid = false;
    pdr->is_chosen = f->choose;
    pdr->has_choose_id = f->has_choose_id;
    pdr->choose_id = f->choose_id;
    const struct up_pdr *alike = f->has_choose_id ? chosen_alike(d, pdr) : NULL;
    if (f->choose)
        pdr->teid = alike ? alike->teid : up_teid_choose(d->env->teids);
    else
        pdr->teid = f->teid;
    pdr->has_teid = pdr->teid != 0;
    return pdr->has_teid ? true : refuse_full(d);
}

static void take_ue_address(struct up_pdr *pdr, const struct pfcp_ue_ip_address *ue)
{
    pdr->has_ue4 = ue->has_ipv4;
    pdr->has_ue6 = ue->has_ipv6;
    pdr->ue_is_destination = ue->is_destination;
    pdr->ue4 = ue->ipv4;
    pdr->ue6 = ue->ipv6;
    pdr->ue6_prefix =
        ue->has_delegation && ue->delegation_bits < 64 ? (uint8_t)(64 - ue->delegation_bits) : 64;
}

/* A filter of its own, or by id one that another PDR of the session has (clause 8.2.5, BID). */
static bool take_filter(struct draft *d, const struct up_pdr *pdr,
                        const struct pfcp_sdf_filter *sdf)
{
    struct up_filter *filter = &d->filters[d->rules.filter_count];

    if (d->rules.filter_count == UP_MAX_FILTERS)
        return refuse_full(d);
    if (up_filter_read(sdf, filter) < 0)
        return refuse_rule(d, PFCP_RULE_PDR, pdr->id);
    if (!sdf->has_flow_description && sdf->has_filter_id) {
        unsigned i = 0;
        while (i < d->rules.filter_count && d->filters[i].id != sdf->filter_id)
            i++;
        if (i == d->rules.filter_count)
            return refuse_rule(d, PFCP_RULE_PDR, pdr->id);
        *filter = d->filters[i];
    }
    d->rules.filter_count++;
    return true;
}

/* A PDI that does not name the F-TEID leaves it as it is. */
static bool take_pdi(struct draft *d, struct up_pdr *pdr, const struct pfcp_pdi *pdi)
{
    pdr->source_interface = pdi->source_interface;
    pdr->interface_type = pdi->interface_type ? *pdi->interface_type : UP_NOT_TOLD;
    pdr->exit = exit_told(d, pdi->network_instance);
    pdr->has_ue4 = pdr->has_ue6 = false;
    if (pdi->source_interface > PFCP_INTERFACE_CP_FUNCTION)
        return refuse(d, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_SOURCE_INTERFACE);
    if (pdi->application_id)
        return refuse_rule(d, PFCP_RULE_PDR, pdr->id); /* no PFDs here */
    if (pdi->ue_ip_address)
        take_ue_address(pdr, pdi->ue_ip_address);
    if (pdi->local_f_teid && !take_f_teid(d, pdr, pdi->local_f_teid))
        return false;
    if (!pdr->has_teid && !pdr->has_ue4 && !pdr->has_ue6)
        return refuse(d, PFCP_CAUSE_CONDITIONAL_IE_MISSING,
                      up_pdr_is_uplink(pdr) ? PFCP_IE_F_TEID : PFCP_IE_UE_IP_ADDRESS);
    pdr->filter_first = d->rules.filter_count;
    for (size_t i = 0; i < pdi->sdf_filter.count; i++)
        if (!take_filter(d, pdr, &pdi->sdf_filter.at[i]))
            return false;
    pdr->filter_count = (uint8_t)(d->rules.filter_count - pdr->filter_first);
    return true;
}

static bool take_ids(struct draft *d, const uint32_t *at, size_t count, uint32_t *ids,
                     uint8_t *taken, size_t max)
{
    if (count > max)
        return refuse_full(d);
    for (size_t i = 0; i < count; i++)
        ids[i] = at[i];
    *taken = (uint8_t)count;
    return true;
}

static bool create_pdr(struct draft *d, const struct pfcp_create_pdr *create)
{
    struct up_pdr *pdr = &d->pdrs[d->rules.pdr_count];
    const struct up_pdr *before = d->old ? up_pdr_of(d->old, create->pdr_id) : NULL;

    if (draft_pdr(d, create->pdr_id) || create->activate_predefined_rules.count > 0)
        return refuse_rule(d, PFCP_RULE_PDR, create->pdr_id);
    if (d->rules.pdr_count == UP_MAX_PDRS)
        return refuse_full(d);
    /* One that is removed and made anew in one message may keep its flows, and then their counters.
     */
    *pdr = (struct up_pdr){.id = create->pdr_id,
                           .precedence = create->precedence,
                           .counted = before ? before->counted : 0};
    d->rules.pdr_count++;
    pdr->has_far = create->far_id != NULL;
    pdr->far_id = create->far_id ? *create->far_id : 0;
    return take_pdi(d, pdr, &create->pdi) &&
           take_ids(d, create->qer_id.at, create->qer_id.count, pdr->qer_id, &pdr->qer_count,
                    UP_MAX_QERS_PER_PDR) &&
           take_ids(d, create->urr_id.at, create->urr_id.count, pdr->urr_id, &pdr->urr_count,
                    UP_MAX_URRS_PER_PDR);
}

/* The old tunnel is given back only with the old rules: packets still come in it until the switch
 * is told. */
static bool update_pdr(struct draft *d, const struct pfcp_update_pdr *update)
{
    struct up_pdr *pdr = draft_pdr(d, update->pdr_id);

    if (!pdr || update->activate_predefined_rules.count > 0)
        return refuse_rule(d, PFCP_RULE_PDR, update->pdr_id);
    if (update->precedence)
        pdr->precedence = *update->precedence;
    if (update->far_id) {
        pdr->has_far = true;
        pdr->far_id = *update->far_id;
    }
    if (update->pdi && !take_pdi(d, pdr, update->pdi))
        return false;
    if (update->qer_id.count > 0 && !take_ids(d, update->qer_id.at, update->qer_id.count,
                                              pdr->qer_id, &pdr->qer_count, UP_MAX_QERS_PER_PDR))
        return false;
    return update->urr_id.count == 0 || take_ids(d, update->urr_id.at, update->urr_id.count,
                                                 pdr->urr_id, &pdr->urr_count, UP_MAX_URRS_PER_PDR);
}

static bool remove_pdr(struct draft *d, uint16_t id)
{
    struct up_pdr *pdr = draft_pdr(d, id);

    if (!pdr)
        return refuse_rule(d, PFCP_RULE_PDR, id);
    *pdr = d->pdrs[--d->rules.pdr_count];
    return true;
}

/* ---- FARs ---- */

static bool take_action(struct draft *d, struct up_far *far, uint8_t action)
{
    uint8_t what = action & (PFCP_APPLY_DROP | PFCP_APPLY_FORW | PFCP_APPLY_BUFF);

    /* Exactly one of the three (clause 8.2.26); notifying goes with buffering. */
    if (what == 0 || what & (what - 1))
        return refuse(d, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_APPLY_ACTION);
    if (action & PFCP_APPLY_DUPL)
        return refuse_rule(d, PFCP_RULE_FAR, far->id);
    far->action = action;
    return true;
}

/* The tunnel that packets are sent in; the tunnel port speaks IPv4. */
static bool take_outer_header(struct draft *d, struct up_far *far,
                              const struct pfcp_outer_header_creation *outer)
{
    if (!(outer->description & PFCP_CREATE_GTP_U_UDP_IPV4))
        return refuse_rule(d, PFCP_RULE_FAR, far->id);
    far->has_outer = true;
    far->teid = outer->teid;
    far->address = outer->ipv4;
    return true;
}

static bool create_far(struct draft *d, const struct pfcp_create_far *create)
{
    struct up_far *far = &d->fars[d->rules.far_count];
    const struct pfcp_forwarding_parameters *forward = create->forwarding_parameters;

    if (draft_far(d, create->far_id))
        return refuse_rule(d, PFCP_RULE_FAR, create->far_id);
    if (d->rules.far_count == UP_MAX_FARS)
        return refuse_full(d);
    *far = (struct up_far){.id = create->far_id, .destination = UP_NOT_TOLD, .exit = UP_NO_EXIT};
    d->rules.far_count++;
    if (!take_action(d, far, create->apply_action))
        return false;
    if (!forward)
        return true;
    if (forward->forwarding_policy)
        return refuse(d, PFCP_CAUSE_INVALID_FORWARDING_POLICY, PFCP_IE_FORWARDING_POLICY);
    far->destination = forward->destination_interface;
    far->exit = exit_told(d, forward->network_instance);
    return !forward->outer_header_creation ||
           take_outer_header(d, far, forward->outer_header_creation);
}

/* A tunnel that ends here and goes on there: its old end may want to know (clause 5.2.3, SNDEM). */
static void note_end_marker(struct draft *d, const struct up_far *before,
                            const struct up_far *after)
{
    struct up_orders *orders = d->orders;

    if (!before->has_outer || before->address.s_addr == d->env->address.s_addr)
        return;
    if (after->teid == before->teid && after->address.s_addr == before->address.s_addr)
        return;
    if (orders->end_marker_count == UP_MAX_END_MARKERS)
        return;
    orders->end_markers[orders->end_marker_count].teid = before->teid;
    orders->end_markers[orders->end_marker_count].address = before->address;
    orders->end_marker_count++;
}

static bool update_far(struct draft *d, const struct pfcp_update_far *update)
{
    const struct pfcp_update_forwarding_parameters *forward = update->update_forwarding_parameters;
    struct up_far *far = draft_far(d, update->far_id);

    if (!far)
        return refuse_rule(d, PFCP_RULE_FAR, update->far_id);
    struct up_far before = *far;
    if (update->apply_action && !take_action(d, far, *update->apply_action))
        return false;
    if (!forward)
        return true;
    if (forward->forwarding_policy)
        return refuse(d, PFCP_CAUSE_INVALID_FORWARDING_POLICY, PFCP_IE_FORWARDING_POLICY);
    if (forward->destination_interface)
        far->destination = *forward->destination_interface;
    if (forward->network_instance)
        far->exit = exit_told(d, forward->network_instance);
    if (forward->outer_header_creation &&
        !take_outer_header(d, far, forward->outer_header_creation))
        return false;
    if (forward->pfcpsmreq_flags && *forward->pfcpsmreq_flags & PFCP_SMREQ_SNDEM)
        note_end_marker(d, &before, far);
    return true;
}

static bool remove_far(struct draft *d, uint32_t id)
{
    struct up_far *far = draft_far(d, id);

    if (!far)
        return refuse_rule(d, PFCP_RULE_FAR, id);
    *far = d->fars[--d->rules.far_count];
    return true;
}

/* ---- QERs ---- */

static uint32_t saturated(uint64_t kbps)
{
    return kbps > UINT32_MAX ? UINT32_MAX : (uint32_t)kbps;
}

/* A rate needs a meter unless it is no limit, or lets nothing pass. */
static bool fit_meter(struct draft *d, uint32_t kbps, uint32_t *meter)
{
    if (kbps == 0 || kbps == UINT32_MAX || !d->env->meters) {
        *meter = 0;
        return true;
    }
    if (*meter == 0)
        *meter = up_meter_take(d->env->meters);
    return *meter != 0 ? true : refuse_full(d);
}

static bool take_rates(struct draft *d, struct up_qer *qer, const struct pfcp_bit_rates *rates)
{
    uint32_t uplink = qer->uplink_meter, downlink = qer->downlink_meter;

    qer->has_rates = true;
    qer->uplink_kbps = saturated(rates->uplink_kbps);
    qer->downlink_kbps = saturated(rates->downlink_kbps);
    bool fits = fit_meter(d, qer->uplink_kbps, &uplink);
    qer->uplink_meter = uplink;
    fits = fits && fit_meter(d, qer->downlink_kbps, &downlink);
    qer->downlink_meter = downlink;
    return fits;
}

static bool create_qer(struct draft *d, const struct pfcp_create_qer *create)
{
    struct up_qer *qer = &d->qers[d->rules.qer_count];

    if (draft_qer(d, create->qer_id))
        return refuse_rule(d, PFCP_RULE_QER, create->qer_id);
    if (d->rules.qer_count == UP_MAX_QERS)
        return refuse_full(d);
    *qer = (struct up_qer){.id = create->qer_id,
                           .uplink_closed = create->gate_status.uplink_closed,
                           .downlink_closed = create->gate_status.downlink_closed};
    d->rules.qer_count++;
    return !create->maximum_bit_rate || take_rates(d, qer, create->maximum_bit_rate);
}

static bool update_qer(struct draft *d, const struct pfcp_update_qer *update)
{
    struct up_qer *qer = draft_qer(d, update->qer_id);

    if (!qer)
        return refuse_rule(d, PFCP_RULE_QER, update->qer_id);
    if (update->gate_status) {
        qer->uplink_closed = update->gate_status->uplink_closed;
        qer->downlink_closed = update->gate_status->downlink_closed;
    }
    return !update->maximum_bit_rate || take_rates(d, qer, update->maximum_bit_rate);
}

static bool remove_qer(struct draft *d, uint32_t id)
{
    struct up_qer *qer = draft_qer(d, id);

    if (!qer)
        return refuse_rule(d, PFCP_RULE_QER, id);
    *qer = d->qers[--d->rules.qer_count];
    return true;
}

/* ---- URRs ---- */

static bool create_urr(struct draft *d, const struct pfcp_create_urr *create)
{
    struct up_urr *urr = &d->urrs[d->rules.urr_count];

    if (up_urr_of(&d->rules, create->urr_id) || create->measurement_method & PFCP_MEASURE_EVENT)
        return refuse_rule(d, PFCP_RULE_URR, create->urr_id);
    if (d->rules.urr_count == UP_MAX_URRS)
        return refuse_full(d);
    *urr = (struct up_urr){.id = create->urr_id,
                           .method = create->measurement_method,
                           .triggers = create->reporting_triggers,
                           .since_s = d->now_s};
    if (create->measurement_period)
        urr->period_s = *create->measurement_period;
    if (create->time_threshold)
        urr->time_threshold_s = *create->time_threshold;
    if (create->volume_threshold)
        urr->threshold = *create->volume_threshold;
    d->rules.urr_count++;
    return true;
}

static bool update_urr(struct draft *d, const struct pfcp_update_urr *update)
{
    struct up_urr *urr = up_urr_of(&d->rules, update->urr_id);

    if (!urr)
        return refuse_rule(d, PFCP_RULE_URR, update->urr_id);
    if (update->measurement_method)
        urr->method = *update->measurement_method;
    if (update->reporting_triggers)
        urr->triggers = *update->reporting_triggers;
    if (update->measurement_period)
        urr->period_s = *update->measurement_period;
    if (update->time_threshold)
        urr->time_threshold_s = *update->time_threshold;
    if (update->volume_threshold)
        urr->threshold = *update->volume_threshold;
    return true;
}

static bool remove_urr(struct draft *d, uint32_t id)
{
    struct up_urr *urr = up_urr_of(&d->rules, id);

    if (!urr)
        return refuse_rule(d, PFCP_RULE_URR, id);
    *urr = d->urrs[--d->rules.urr_count];
    return true;
}

/* ---- BAR ---- */

static void take_bar(struct up_bar *bar, const struct pfcp_create_bar *create)
{
    bar->exists = true;
    bar->id = create->bar_id;
    if (create->downlink_data_notification_delay)
        bar->delay = *create->downlink_data_notification_delay;
    if (create->suggested_buffering_packets_count)
        bar->packets = *create->suggested_buffering_packets_count;
}

/* ---- the whole ---- */

static bool check_far(struct draft *d, const struct up_far *far)
{
    if (!(far->action & PFCP_APPLY_FORW))
        return true;
    if (far->destination == UP_NOT_TOLD)
        return refuse(d, PFCP_CAUSE_CONDITIONAL_IE_MISSING, PFCP_IE_FORWARDING_PARAMETERS);
    if (!far->has_outer && far->destination != PFCP_INTERFACE_CORE &&
        far->destination != PFCP_INTERFACE_SGI_LAN)
        return refuse(d, PFCP_CAUSE_CONDITIONAL_IE_MISSING, PFCP_IE_OUTER_HEADER_CREATION);
    return true;
}

static bool check_pdr(struct draft *d, const struct up_pdr *pdr)
{
    const struct up_far *far = up_pdr_far(&d->rules, pdr);

    if (pdr->has_far && !far)
        return refuse_rule(d, PFCP_RULE_PDR, pdr->id);
    for (unsigned i = 0; i < pdr->qer_count; i++)
        if (!up_qer_of(&d->rules, pdr->qer_id[i]))
            return refuse_rule(d, PFCP_RULE_PDR, pdr->id);
    for (unsigned i = 0; i < pdr->urr_count; i++)
        if (!up_urr_of(&d->rules, pdr->urr_id[i]))
            return refuse_rule(d, PFCP_RULE_PDR, pdr->id);
    if (!pdr->has_teid && up_entry_of(d->env, pdr) == UP_UNKNOWN_EXIT)
        return refuse(d, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_NETWORK_INSTANCE);
    if (far && far->action & PFCP_APPLY_FORW && !far->has_outer &&
        up_exit_of(d->env, pdr, far) == UP_UNKNOWN_EXIT)
        return refuse(d, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_NETWORK_INSTANCE);
    return true;
}

static bool check(struct draft *d)
{
    for (unsigned i = 0; i < d->rules.far_count; i++)
        if (!check_far(d, &d->fars[i]))
            return false;
    for (unsigned i = 0; i < d->rules.pdr_count; i++)
        if (!check_pdr(d, &d->pdrs[i]))
            return false;
    return true;
}

static void begin(struct draft *d, const struct up_environment *env, const struct up_rules *old,
                  uint64_t now_s, struct up_orders *orders, struct up_refusal *why)
{
    d->env = env;
    d->now_s = now_s;
    d->orders = orders;
    d->why = why;
    d->old = old;
    d->rules = old ? *old : (struct up_rules){.pdr_count = 0};
    d->rules.pdrs = d->pdrs;
    d->rules.fars = d->fars;
    d->rules.qers = d->qers;
    d->rules.urrs = d->urrs;
    d->rules.filters = d->filters;
    *why = (struct up_refusal){.cause = PFCP_CAUSE_REQUEST_ACCEPTED};
    if (!old)
        return;
    memcpy(d->pdrs, old->pdrs, old->pdr_count * sizeof(*old->pdrs));
    memcpy(d->fars, old->fars, old->far_count * sizeof(*old->fars));
    memcpy(d->qers, old->qers, old->qer_count * sizeof(*old->qers));
    memcpy(d->urrs, old->urrs, old->urr_count * sizeof(*old->urrs));
    memcpy(d->filters, old->filters, old->filter_count * sizeof(*old->filters));
}

/* Filters that no PDR uses any more are left out. */
static void compact_filters(struct draft *d)
{
    struct up_filter kept[UP_MAX_FILTERS];
    uint8_t count = 0;

    for (unsigned i = 0; i < d->rules.pdr_count; i++) {
        struct up_pdr *pdr = &d->pdrs[i];
        memcpy(kept + count, d->filters + pdr->filter_first, pdr->filter_count * sizeof(kept[0]));
        pdr->filter_first = count;
        count = (uint8_t)(count + pdr->filter_count);
    }
    memcpy(d->filters, kept, count * sizeof(kept[0]));
    d->rules.filter_count = count;
}

static void *pack_array(uint8_t **at, const void *from, size_t size)
{
    void *to = *at;

    memcpy(to, from, size);
    *at += (size + 7) / 8 * 8;
    return to;
}

static struct up_rules *pack(struct draft *d)
{
    const struct up_rules *r = &d->rules;
    size_t sizes[] = {r->pdr_count * sizeof(*r->pdrs), r->far_count * sizeof(*r->fars),
                      r->qer_count * sizeof(*r->qers), r->urr_count * sizeof(*r->urrs),
                      r->filter_count * sizeof(*r->filters)};
    size_t total = (sizeof(*r) + 7) / 8 * 8;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        total += (sizes[i] + 7) / 8 * 8;
    uint8_t *at = malloc(total);
    if (!at)
        return NULL;
    struct up_rules *packed = pack_array(&at, r, sizeof(*r));
    packed->pdrs = pack_array(&at, d->pdrs, sizes[0]);
    packed->fars = pack_array(&at, d->fars, sizes[1]);
    packed->qers = pack_array(&at, d->qers, sizes[2]);
    packed->urrs = pack_array(&at, d->urrs, sizes[3]);
    packed->filters = pack_array(&at, d->filters, sizes[4]);
    return packed;
}

static struct up_rules *finish(struct draft *d, bool is_right, const struct up_rules *old)
{
    struct up_rules *rules = NULL;

    if (is_right && check(d)) {
        compact_filters(d);
        rules = pack(d);
        if (!rules)
            refuse_full(d);
    }
    if (!rules)
        up_rules_give_back(d->env, &d->rules, old);
    return rules;
}

static bool remove_all(struct draft *d, const struct pfcp_session_modification_request *request)
{
    for (size_t i = 0; i < request->remove_pdr.count; i++)
        if (!remove_pdr(d, request->remove_pdr.at[i].pdr_id))
            return false;
    for (size_t i = 0; i < request->remove_far.count; i++)
        if (!remove_far(d, request->remove_far.at[i].far_id))
            return false;
    for (size_t i = 0; i < request->remove_urr.count; i++)
        if (!remove_urr(d, request->remove_urr.at[i].urr_id))
            return false;
    for (size_t i = 0; i < request->remove_qer.count; i++)
        if (!remove_qer(d, request->remove_qer.at[i].qer_id))
            return false;
    if (request->remove_bar)
        d->rules.bar = (struct up_bar){.exists = false};
    return true;
}

static bool create_all(struct draft *d, const struct pfcp_session_modification_request *request)
{
    for (size_t i = 0; i < request->create_pdr.count; i++)
        if (!create_pdr(d, &request->create_pdr.at[i]))
            return false;
    for (size_t i = 0; i < request->create_far.count; i++)
        if (!create_far(d, &request->create_far.at[i]))
            return false;
    for (size_t i = 0; i < request->create_urr.count; i++)
        if (!create_urr(d, &request->create_urr.at[i]))
            return false;
    for (size_t i = 0; i < request->create_qer.count; i++)
        if (!create_qer(d, &request->create_qer.at[i]))
            return false;
    if (request->create_bar)
        take_bar(&d->rules.bar, request->create_bar);
    return true;
}

static bool update_all(struct draft *d, const struct pfcp_session_modification_request *request)
{
    for (size_t i = 0; i < request->update_pdr.count; i++)
        if (!update_pdr(d, &request->update_pdr.at[i]))
            return false;
    for (size_t i = 0; i < request->update_far.count; i++)
        if (!update_far(d, &request->update_far.at[i]))
            return false;
    for (size_t i = 0; i < request->update_urr.count; i++)
        if (!update_urr(d, &request->update_urr.at[i]))
            return false;
    for (size_t i = 0; i < request->update_qer.count; i++)
        if (!update_qer(d, &request->update_qer.at[i]))
            return false;
    if (request->update_bar)
        take_bar(&d->rules.bar, request->update_bar);
    return true;
}

static bool note_orders(struct draft *d, const struct pfcp_session_modification_request *request)
{
    uint8_t flags = request->pfcpsmreq_flags ? *request->pfcpsmreq_flags : 0;

    d->orders->drop_buffered = flags & PFCP_SMREQ_DROBU;
    d->orders->query_all = flags & PFCP_SMREQ_QAURR;
    for (size_t i = 0; i < request->query_urr.count; i++) {
        if (!up_urr_of(&d->rules, request->query_urr.at[i].urr_id))
            return refuse_rule(d, PFCP_RULE_URR, request->query_urr.at[i].urr_id);
        if (d->orders->query_count < UP_MAX_URRS)
            d->orders->query[d->orders->query_count++] = request->query_urr.at[i].urr_id;
    }
    return true;
}

struct up_rules *up_rules_modify(const struct up_environment *env, const struct up_rules *old,
                                 const struct pfcp_session_modification_request *request,
                                 uint64_t now_s, struct up_orders *orders, struct up_refusal *why)
{
    struct draft d;

    *orders = (struct up_orders){.end_marker_count = 0};
    begin(&d, env, old, now_s, orders, why);
    bool is_right = remove_all(&d, request) && create_all(&d, request) && update_all(&d, request) &&
                    note_orders(&d, request);
    return finish(&d, is_right, old);
}

/* An establishment is a modification of nothing. */
struct up_rules *up_rules_establish(const struct up_environment *env,
                                    const struct pfcp_session_establishment_request *request,
                                    uint64_t now_s, struct up_refusal *why)
{
    struct up_orders orders;
    struct pfcp_session_modification_request all = {
        .create_pdr = {request->create_pdr.at, request->create_pdr.count},
        .create_far = {request->create_far.at, request->create_far.count},
        .create_urr = {request->create_urr.at, request->create_urr.count},
        .create_qer = {request->create_qer.at, request->create_qer.count},
        .create_bar = request->create_bar,
    };

    return up_rules_modify(env, NULL, &all, now_s, &orders, why);
}
