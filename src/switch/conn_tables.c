/*
 * conn_tables.c -- what tables are and how full: OFPMP_TABLE_FEATURES (OpenFlow 1.3.5
 * clause 7.3.5.5), and vacancy events (ONF extension 192; OpenFlow 1.4 clauses 7.3.4.1, 7.3.5.16
 * and 7.4.5).
 *
 * Every table can do everything, so a pipeline that a controller asks for is granted when it asks
 * for nothing that does not exist: tables that it leaves out are taken out of the pipeline, the
 * others get the names and limits that it gives and stay able to do more than it asked for. The
 * flows of a table that is taken out, or whose limit changes, go without a word to
 * OFPFF_SEND_FLOW_REM. A pipeline of 255 tables does not fit into one message; conn_multipart.c
 * puts the parts together.
 *
 * A table with vacancy events tells once when its free room falls under one threshold, and once
 * when it rises over the other.
 */
#include <stdio.h>

#include "base/base.h"
#include "switch/conn.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What is configured of a table beside its place in the data path. */
static struct {
    bool named;
    char name[32];
    bool tells_vacancy;
    uint8_t awaited; /* enum ofp_table_reason: the event that comes next */
    struct of_vacancy vacancy;
} told[TABLES];

void tables_forget_features(void)
{
    memset(told, 0, sizeof(told));
}

/* ---- what every table can do ---- */

#define PROPERTY_ROOM 1024

static const uint16_t all_instructions[] = {
    OFPIT_GOTO_TABLE,    OFPIT_WRITE_METADATA, OFPIT_WRITE_ACTIONS,
    OFPIT_APPLY_ACTIONS, OFPIT_CLEAR_ACTIONS,  OFPIT_METER,
};
static const uint16_t all_actions[] = {
    OFPAT_OUTPUT,       OFPAT_COPY_TTL_OUT, OFPAT_COPY_TTL_IN, OFPAT_SET_MPLS_TTL,
    OFPAT_DEC_MPLS_TTL, OFPAT_PUSH_VLAN,    OFPAT_POP_VLAN,    OFPAT_PUSH_MPLS,
    OFPAT_POP_MPLS,     OFPAT_SET_QUEUE,    OFPAT_GROUP,       OFPAT_SET_NW_TTL,
    OFPAT_DEC_NW_TTL,   OFPAT_SET_FIELD,    OFPAT_PUSH_PBB,    OFPAT_POP_PBB,
};

static bool leads_on(unsigned table)
{
    for (unsigned next = table + 1; next < TABLES; next++)
        if (!sw.dp.tables.table[next].removed)
            return true;
    return false;
}

/* Lists of type and length, as instructions and actions are named there. */
static struct bytes type_list(uint8_t *room, const uint16_t *types, size_t count)
{
    struct writer w = writer_of(room, PROPERTY_ROOM);

    for (size_t i = 0; i < count; i++) {
        wr_u16(&w, types[i]);
        wr_u16(&w, 4);
    }
    return wr_view(&w);
}

static struct bytes next_table_list(uint8_t *room, unsigned table)
{
    struct writer w = writer_of(room, PROPERTY_ROOM);

    for (unsigned next = table + 1; next < TABLES; next++)
        if (!sw.dp.tables.table[next].removed)
            wr_u8(&w, (uint8_t)next);
    return wr_view(&w);
}

/* Fields by the headers of their OXMs: those that set_field may write, or all; with the mask bit
 * where a mask may be. */
static struct bytes field_list(uint8_t *room, bool writable, bool masks)
{
    struct writer w = writer_of(room, PROPERTY_ROOM);

    for (size_t i = 0; i < OF_FIELD_COUNT; i++) {
        const struct of_field *f = &of_fields[i];
        bool experimenter = f->oxm_class == 0xffff, mask = masks && f->maskable;

        if (writable && !f->writable)
            continue;
        wr_u16(&w, f->oxm_class);
        wr_u8(&w, (uint8_t)(f->number << 1 | mask));
        wr_u8(&w, (uint8_t)((f->bytes << mask) + (experimenter ? 4 : 0)));
        if (experimenter)
            wr_u32(&w, OF_EXPERIMENTER_NICIRA);
    }
    return wr_view(&w);
}

/* The same for every table, except where it may lead. The table-miss flow may do what others may,
 * so the properties for it are left out (clause 7.3.5.5.2). */
static void tell_features(struct of_multipart_writer *mw, unsigned table)
{
    static uint8_t rooms[6][PROPERTY_ROOM];
    bool last = !leads_on(table);
    struct bytes instructions =
        type_list(rooms[0], all_instructions + last, COUNT(all_instructions) - last);
    struct bytes next = next_table_list(rooms[1], table),
                 actions = type_list(rooms[2], all_actions, COUNT(all_actions));
    struct bytes match = field_list(rooms[3], false, true),
                 wildcards = field_list(rooms[4], false, false);
    struct bytes writable = field_list(rooms[5], true, false);
    struct of_property properties[] = {
        {OFPTFPT_INSTRUCTIONS, instructions},
        {OFPTFPT_NEXT_TABLES, next},
        {OFPTFPT_WRITE_ACTIONS, actions},
        {OFPTFPT_APPLY_ACTIONS, actions},
        {OFPTFPT_MATCH, match},
        {OFPTFPT_WILDCARDS, wildcards},
        {OFPTFPT_WRITE_SETFIELD, writable},
        {OFPTFPT_APPLY_SETFIELD, writable},
    };
    struct of_table_features f = {
        .table_id = (uint8_t)table,
        .metadata_match = UINT64_MAX,
        .metadata_write = UINT64_MAX,
        .config = sw.dp.tables.table[table].config,
        .max_entries = sw.dp.tables.table[table].max_flows,
        .properties = {properties, COUNT(properties)},
    };

    if (told[table].named)
        memcpy(f.name, told[table].name, sizeof(f.name));
    else
        snprintf(f.name, sizeof(f.name), "table%u", table);
    of_multipart_add(mw, &f);
}

/* ---- what a controller asks them to be ---- */

/* A request, by table. */
struct pipeline {
    const struct of_table_features *table[TABLES]; /* NULL: not in it */
};

/* One entry of a list of instructions or actions: its type must be one of these. */
static of_error check_types(struct reader r, const uint16_t *types, size_t count)
{
    while (rd_left(&r) > 0) {
        uint16_t type = rd_u16(&r), length = rd_u16(&r);
        size_t i = 0;

        if (r.bad || length < 4 || length - 4u > rd_left(&r))
            return OFPTFFC_BAD_LEN;
        rd_skip(&r, length - 4u);
        while (i < count && types[i] != type)
            i++;
        if (i == count)
            return OFPTFFC_BAD_ARGUMENT;
        if (length != 4)
            return OFPTFFC_BAD_LEN;
    }
    return 0;
}

static of_error check_fields(struct reader r, bool writable, bool masks)
{
    while (rd_left(&r) > 0) {
        uint16_t oxm_class = rd_u16(&r);
        uint8_t number = rd_u8(&r), length = rd_u8(&r);
        uint32_t experimenter = oxm_class == 0xffff ? rd_u32(&r) : 0;
        const struct of_field *f = of_field_by_oxm(oxm_class, number >> 1, experimenter);
        bool mask = number & 1;

        if (r.bad)
            return OFPTFFC_BAD_LEN;
        if (!f || (writable && !f->writable) || (mask && !(masks && f->maskable)))
            return OFPTFFC_BAD_ARGUMENT;
        if (length != (f->bytes << mask) + (oxm_class == 0xffff ? 4 : 0))
            return OFPTFFC_BAD_LEN;
    }
    return 0;
}

static of_error check_next(const struct pipeline *p, struct reader r, unsigned table)
{
    while (rd_left(&r) > 0) {
        uint8_t next = rd_u8(&r);

        if (next <= table || next >= TABLES || !p->table[next])
            return OFPTFFC_BAD_ARGUMENT;
    }
    return 0;
}

static of_error check_property(const struct pipeline *p, const struct of_property *property,
                               unsigned table)
{
    struct reader r = reader_of_bytes(property->data);
    bool last = table + 1 == TABLES;

    switch (property->type) {
    case OFPTFPT_INSTRUCTIONS:
    case OFPTFPT_INSTRUCTIONS_MISS:
        return check_types(r, all_instructions + last, COUNT(all_instructions) - last);
    case OFPTFPT_NEXT_TABLES:
    case OFPTFPT_NEXT_TABLES_MISS:
        return check_next(p, r, table);
    case OFPTFPT_WRITE_ACTIONS:
    case OFPTFPT_WRITE_ACTIONS_MISS:
    case OFPTFPT_APPLY_ACTIONS:
    case OFPTFPT_APPLY_ACTIONS_MISS:
        return check_types(r, all_actions, COUNT(all_actions));
    case OFPTFPT_MATCH:
        return check_fields(r, false, true);
    case OFPTFPT_WILDCARDS:
        return check_fields(r, false, false);
    case OFPTFPT_WRITE_SETFIELD:
    case OFPTFPT_WRITE_SETFIELD_MISS:
    case OFPTFPT_APPLY_SETFIELD:
    case OFPTFPT_APPLY_SETFIELD_MISS:
        return check_fields(r, true, false);
    default:
        return OFPTFFC_BAD_TYPE;
    }
}

#define REQUIRED                                                                            \
    (1u << OFPTFPT_INSTRUCTIONS | 1u << OFPTFPT_NEXT_TABLES | 1u << OFPTFPT_WRITE_ACTIONS | \
     1u << OFPTFPT_APPLY_ACTIONS | 1u << OFPTFPT_MATCH | 1u << OFPTFPT_WILDCARDS |          \
     1u << OFPTFPT_WRITE_SETFIELD | 1u << OFPTFPT_APPLY_SETFIELD)

/* Each property once; those of the table-miss flow may be left out. */
static of_error check_table(const struct pipeline *p, unsigned table)
{
    const struct of_table_features *f = p->table[table];
    uint32_t seen = 0;

    if (f->max_entries > sw.config.max_flows || (f->config & ~(uint32_t)OFPTC_DEPRECATED_MASK))
        return OFPTFFC_BAD_ARGUMENT;
    for (size_t i = 0; i < f->properties.count; i++) {
        const struct of_property *property = &f->properties.at[i];
        of_error error = check_property(p, property, table);

        if (error)
            return error;
        if (seen & 1u << property->type)
            return OFPTFFC_BAD_TYPE;
        seen |= 1u << property->type;
    }
    return (seen & REQUIRED) == REQUIRED ? 0 : OFPTFFC_BAD_ARGUMENT;
}

static of_error read_pipeline(const struct of_message *m, struct pipeline *p)
{
    memset(p, 0, sizeof(*p));
    for (size_t i = 0; i < m->multipart_request.table_features.count; i++) {
        const struct of_table_features *f = &m->multipart_request.table_features.at[i];

        if (f->table_id >= TABLES || p->table[f->table_id])
            return OFPTFFC_BAD_TABLE;
        p->table[f->table_id] = f;
    }
    for (unsigned i = 0; i < TABLES; i++) {
        of_error error = p->table[i] ? check_table(p, i) : 0;

        if (error)
            return error;
    }
    return 0;
}

static int remove_quietly(struct flow *flow, void *context)
{
    return change_remove_flow(context, flow, OFPRR_DELETE, true);
}

/* Flows of tables that go or change; all or none. */
static int remove_flows(const struct pipeline *p)
{
    static const struct of_match everything;
    struct transaction t;
    int err = 0;

    change_begin(&t, &sw.dp);
    for (unsigned i = 0; i < TABLES && err == 0; i++) {
        struct flow_filter filter = {.table_id = (uint8_t)i,
                                     .match = &everything,
                                     .out_port = OFPP_ANY,
                                     .out_group = OFPG_ANY};

        if (!p->table[i] || p->table[i]->max_entries != sw.dp.tables.table[i].max_flows)
            err = tables_each(&sw.dp.tables, &filter, remove_quietly, &t);
    }
    if (err < 0)
        change_rollback(&t);
    else
        change_commit(&t);
    return err;
}

static of_error configure(struct conn *c, const struct of_message *m)
{
    struct pipeline p;
    of_error error = read_pipeline(m, &p);

    if (error)
        return error;
    monitors_cause(c, m->xid);
    if (remove_flows(&p) < 0)
        error = OFPTFFC_EPERM;
    monitors_cause(NULL, 0);
    if (error)
        return error;
    for (unsigned i = 0; i < TABLES; i++) {
        struct table *table = &sw.dp.tables.table[i];

        table->removed = !p.table[i];
        if (!p.table[i])
            continue;
        table->max_flows = p.table[i]->max_entries;
        table->config = p.table[i]->config;
        told[i].named = true;
        memcpy(told[i].name, p.table[i]->name, sizeof(told[i].name));
    }
    return 0;
}

of_error conn_table_features(struct conn *c, const struct of_message *m)
{
    struct of_multipart_writer mw;
    of_error error = 0;

    if (m->multipart_request.table_features.count)
        error = c->role == OFPCR_ROLE_SLAVE ? (of_error)OFPBRC_IS_SLAVE : configure(c, m);
    if (error)
        return error;
    conn_multipart_begin(&mw, c, m);
    for (unsigned i = 0; i < TABLES; i++)
        if (!sw.dp.tables.table[i].removed)
            tell_features(&mw, i);
    of_multipart_end(&mw);
    return 0;
}

/* ---- vacancy ---- */

/* Free room in percent. */
static uint8_t vacancy_of(unsigned table)
{
    const struct table *t = &sw.dp.tables.table[table];

    return t->flows >= t->max_flows
               ? 0
               : (uint8_t)((uint64_t)(t->max_flows - t->flows) * 100 / t->max_flows);
}

static struct of_table_desc describe(unsigned table, struct of_property *property, uint8_t room[4])
{
    struct of_vacancy vacancy = told[table].vacancy;
    struct of_table_desc d = {.table_id = (uint8_t)table,
                              .config = sw.dp.tables.table[table].config};

    vacancy.vacancy = vacancy_of(table);
    *property = of_vacancy_property(&vacancy, room);
    d.properties.at = property;
    d.properties.count = 1;
    if (told[table].tells_vacancy)
        d.config |= OFPTC_VACANCY_EVENTS;
    return d;
}

static void tell_vacancy(unsigned table, uint8_t reason)
{
    struct of_message m = {.type = OFPT_ONF_TABLE_STATUS, .table_status.reason = reason};
    struct of_property property;
    uint8_t room[4];

    m.table_status.desc = describe(table, &property, room);
    for (struct conn *c = sw.conns; c; c = c->next)
        if (conn_wants(c, c->async.table_status_mask, reason))
            conn_send(c, &m, 128);
}

void tables_flow_changed(const struct flow *flow)
{
    unsigned table = flow->table_id;
    uint8_t vacancy;

    if (!told[table].tells_vacancy)
        return;
    vacancy = vacancy_of(table);
    if (told[table].awaited == OFPTR_VACANCY_DOWN && vacancy < told[table].vacancy.down) {
        told[table].awaited = OFPTR_VACANCY_UP;
        tell_vacancy(table, OFPTR_VACANCY_DOWN);
    } else if (told[table].awaited == OFPTR_VACANCY_UP && vacancy > told[table].vacancy.up) {
        told[table].awaited = OFPTR_VACANCY_DOWN;
        tell_vacancy(table, OFPTR_VACANCY_UP);
    }
}

of_error conn_table_desc(struct conn *c, const struct of_message *m)
{
    struct of_multipart_writer mw;

    conn_multipart_begin(&mw, c, m);
    for (unsigned i = 0; i < TABLES; i++) {
        struct of_property property;
        uint8_t room[4];
        struct of_table_desc d = describe(i, &property, room);

        if (!sw.dp.tables.table[i].removed)
            of_multipart_add(&mw, &d);
    }
    of_multipart_end(&mw);
    return 0;
}

/* The thresholds that the message sets; *given false when it sets none. */
static of_error read_properties(const struct of_table_mod *mod, struct of_vacancy *vacancy,
                                bool *given)
{
    *given = false;
    for (size_t i = 0; i < mod->properties.count; i++) {
        const struct of_property *property = &mod->properties.at[i];

        if (property->type != OFPTMPT_VACANCY || *given)
            return OFPTFFC_BAD_TYPE;
        if (!of_read_vacancy(property, vacancy))
            return OFPTFFC_BAD_LEN;
        if (vacancy->down > vacancy->up || vacancy->up > 100)
            return OFPTFFC_BAD_ARGUMENT;
        *given = true;
    }
    return 0;
}

/* 1.4's OFPT_TABLE_MOD. Without OFPTC_VACANCY_EVENTS thresholds are kept for later. */
of_error conn_onf_table_mod(struct conn *c, const struct of_message *m)
{
    struct of_table_mod plain = {.table_id = m->table_mod.table_id,
                                 .config = m->table_mod.config & ~(uint32_t)OFPTC_VACANCY_EVENTS};
    struct of_vacancy vacancy = {0};
    struct transaction t;
    bool given;
    of_error error = read_properties(&m->table_mod, &vacancy, &given);

    (void)c;
    if (error)
        return error;
    change_begin(&t, &sw.dp);
    error = change_table_mod(&t, &plain);
    if (error) {
        change_rollback(&t);
        return error;
    }
    change_commit(&t);
    for (unsigned i = 0; i < TABLES; i++) {
        if (plain.table_id != OFPTT_ALL && plain.table_id != i)
            continue;
        if (given)
            told[i].vacancy = vacancy;
        told[i].tells_vacancy = m->table_mod.config & OFPTC_VACANCY_EVENTS;
        told[i].awaited =
            vacancy_of(i) < told[i].vacancy.up ? OFPTR_VACANCY_UP : OFPTR_VACANCY_DOWN;
    }
    return 0;
}
