/*
 * actions.c -- actions and instructions on the wire (OpenFlow 1.3.5 clauses 7.2.4 and 7.2.5).
 *
 * An action is a type, a length (a multiple of 8) and what the type says. Most have a fixed length
 * and one number in them: those are rows of a table. set_field carries an OXM; Open vSwitch's
 * register actions are experimenter actions with a subtype.
 */
#include "wire/openflow/openflow.h"
#include "wire/openflow/oxm.h"

#define NXAST_REG_MOVE 6
#define NXAST_REG_LOAD 7

enum argument { ARG_NONE, ARG_OUTPUT, ARG_U32, ARG_ETHERTYPE, ARG_TTL, ARG_SET_FIELD };

static const struct action_row {
    const char *name; /* as printed */
    uint16_t type;
    uint8_t length; /* on the wire; the least one for set_field */
    uint8_t argument;
} action_rows[] = {
    {"output", OFPAT_OUTPUT, 16, ARG_OUTPUT},
    {"copy_ttl_out", OFPAT_COPY_TTL_OUT, 8, ARG_NONE},
    {"copy_ttl_in", OFPAT_COPY_TTL_IN, 8, ARG_NONE},
    {"set_mpls_ttl", OFPAT_SET_MPLS_TTL, 8, ARG_TTL},
    {"dec_mpls_ttl", OFPAT_DEC_MPLS_TTL, 8, ARG_NONE},
    {"push_vlan", OFPAT_PUSH_VLAN, 8, ARG_ETHERTYPE},
    {"pop_vlan", OFPAT_POP_VLAN, 8, ARG_NONE},
    {"push_mpls", OFPAT_PUSH_MPLS, 8, ARG_ETHERTYPE},
    {"pop_mpls", OFPAT_POP_MPLS, 8, ARG_ETHERTYPE},
    {"set_queue", OFPAT_SET_QUEUE, 8, ARG_U32},
    {"group", OFPAT_GROUP, 8, ARG_U32},
    {"set_nw_ttl", OFPAT_SET_NW_TTL, 8, ARG_TTL},
    {"dec_ttl", OFPAT_DEC_NW_TTL, 8, ARG_NONE},
    {"set_field", OFPAT_SET_FIELD, 16, ARG_SET_FIELD},
    {"push_pbb", OFPAT_PUSH_PBB, 8, ARG_ETHERTYPE},
    {"pop_pbb", OFPAT_POP_PBB, 8, ARG_NONE},
};

static const struct action_row *action_row(uint32_t type)
{
    for (size_t i = 0; i < sizeof(action_rows) / sizeof(action_rows[0]); i++)
        if (action_rows[i].type == type)
            return &action_rows[i];
    return NULL;
}

struct of_action of_set_field_bytes(enum of_field_id field, const void *value)
{
    struct of_action a = {.type = OFPAT_SET_FIELD, .set_field.field = field};

    memcpy(a.set_field.value, value, of_fields[field].bytes);
    return a;
}

struct of_action of_set_field(enum of_field_id field, uint64_t value)
{
    struct of_action a = {.type = OFPAT_SET_FIELD, .set_field.field = field};
    struct writer w = writer_of(a.set_field.value, sizeof(a.set_field.value));

    wr_uint(&w, value, of_fields[field].bytes <= 8 ? of_fields[field].bytes : 8);
    return a;
}

/* ---- decoding ---- */

/* The errors of an OXM in set_field are those of actions (clause 7.2.4.7). */
static of_error decode_set_field(struct reader *body, struct of_action *a)
{
    struct oxm oxm;
    of_error error = of_decode_oxm(body, &oxm);

    if (error)
        return error == OFPBMC_BAD_LEN ? OFPBAC_BAD_SET_LEN : OFPBAC_BAD_SET_TYPE;
    if (!oxm.known->writable || oxm.has_mask)
        return OFPBAC_BAD_SET_TYPE;
    if (!of_field_value_ok(oxm.known, oxm.value.at))
        return OFPBAC_BAD_SET_ARGUMENT;
    if (rd_left(body) >= 8)
        return OFPBAC_BAD_SET_LEN;
    rd_rest(body);
    a->set_field.field = of_field_id(oxm.known);
    memcpy(a->set_field.value, oxm.value.at, oxm.value.len);
    return 0;
}

/* The 4-byte header by which register actions name a field. */
static const struct of_field *decode_nxm_header(struct reader *body)
{
    uint16_t oxm_class = rd_u16(body);
    uint8_t number = rd_u8(body);

    rd_skip(body, 1);
    return oxm_class == 0xffff ? NULL : of_field_by_oxm(oxm_class, number >> 1, 0);
}

static of_error decode_reg_load(struct reader *body, struct of_action *a)
{
    uint16_t place = rd_u16(body);
    const struct of_field *f = decode_nxm_header(body);
    uint64_t value = rd_u64(body);
    unsigned offset = place >> 6, n_bits = (place & 0x3f) + 1;

    if (!f || !f->writable)
        return OFPBAC_BAD_SET_TYPE;
    if (offset + n_bits > f->bits || (n_bits < 64 && value >> n_bits))
        return OFPBAC_BAD_SET_ARGUMENT;
    a->type = OF_NX_REG_LOAD;
    a->reg_load.field = of_field_id(f);
    a->reg_load.offset = (uint8_t)offset;
    a->reg_load.n_bits = (uint8_t)n_bits;
    a->reg_load.value = value;
    return 0;
}

static of_error decode_reg_move(struct reader *body, struct of_action *a)
{
    uint16_t n_bits = rd_u16(body);
    uint16_t from_offset = rd_u16(body), to_offset = rd_u16(body);
    const struct of_field *from = decode_nxm_header(body), *to = decode_nxm_header(body);

    if (!from || !to || !to->writable)
        return OFPBAC_BAD_SET_TYPE;
    if (n_bits == 0 || from_offset + n_bits > from->bits || to_offset + n_bits > to->bits)
        return OFPBAC_BAD_SET_ARGUMENT;
    a->type = OF_NX_REG_MOVE;
    a->reg_move.from = of_field_id(from);
    a->reg_move.to = of_field_id(to);
    a->reg_move.from_offset = from_offset;
    a->reg_move.to_offset = to_offset;
    a->reg_move.n_bits = n_bits;
    return 0;
}

static of_error decode_experimenter(struct reader *body, struct of_action *a)
{
    uint32_t experimenter = rd_u32(body);
    uint16_t subtype;

    if (experimenter != OF_EXPERIMENTER_NICIRA)
        return OFPBAC_BAD_EXPERIMENTER;
    subtype = rd_u16(body);
    if (subtype != NXAST_REG_LOAD && subtype != NXAST_REG_MOVE)
        return OFPBAC_BAD_EXP_TYPE;
    if (rd_left(body) != 14)
        return OFPBAC_BAD_LEN;
    return subtype == NXAST_REG_LOAD ? decode_reg_load(body, a) : decode_reg_move(body, a);
}

static of_error decode_action(struct reader *r, struct of_action *a)
{
    uint16_t type = rd_u16(r), length = rd_u16(r);
    const struct action_row *row = action_row(type);
    struct reader body;

    memset(a, 0, sizeof(*a));
    if (length < 8 || length % 8 || length - 4u > rd_left(r))
        return OFPBAC_BAD_LEN;
    body = rd_sub(r, length - 4u);
    a->type = type;
    if (type == OFPAT_EXPERIMENTER)
        return decode_experimenter(&body, a);
    if (!row)
        return OFPBAC_BAD_TYPE;
    if (row->argument != ARG_SET_FIELD && length != row->length)
        return OFPBAC_BAD_LEN;
    switch (row->argument) {
    case ARG_OUTPUT:
        a->output.port = rd_u32(&body);
        a->output.max_len = rd_u16(&body);
        break;
    case ARG_U32:
        a->group_id = rd_u32(&body); /* or queue_id */
        break;
    case ARG_ETHERTYPE:
        a->ethertype = rd_u16(&body);
        break;
    case ARG_TTL:
        a->ttl = rd_u8(&body);
        break;
    case ARG_SET_FIELD:
        return decode_set_field(&body, a);
    }
    return 0;
}

/* How many type-length structs lie in the reader; what is cut or has a length under 4 ends the
 * count. */
static size_t count_parts(struct reader r)
{
    size_t count = 0;

    while (rd_left(&r) >= 4) {
        uint16_t length = (uint16_t)(r.at[2] << 8 | r.at[3]);

        count++;
        if (length < 4)
            break;
        rd_skip(&r, length);
    }
    return count;
}

of_error of_decode_actions(struct reader *r, struct of_actions *actions, struct arena *arena)
{
    size_t count = count_parts(*r);

    actions->count = 0;
    actions->at = count ? arena_array(arena, count, sizeof(*actions->at)) : NULL;
    if (count && !actions->at)
        return OFPBAC_TOO_MANY;
    while (rd_left(r) > 0) {
        of_error error = actions->count < count ? decode_action(r, &actions->at[actions->count])
                                                : (of_error)OFPBAC_BAD_LEN;

        if (error)
            return error;
        actions->count++;
    }
    return r->bad ? OFPBAC_BAD_LEN : 0;
}

static of_error decode_instruction(struct reader *r, struct of_instruction *in, struct arena *arena)
{
    uint16_t type = rd_u16(r), length = rd_u16(r);
    struct reader body;

    memset(in, 0, sizeof(*in));
    in->type = type;
    if (length < 8 || length % 8 || length - 4u > rd_left(r))
        return OFPBIC_BAD_LEN;
    body = rd_sub(r, length - 4u);
    switch (type) {
    case OFPIT_GOTO_TABLE:
        in->table_id = rd_u8(&body);
        return length == 8 ? 0 : OFPBIC_BAD_LEN;
    case OFPIT_WRITE_METADATA:
        rd_skip(&body, 4);
        in->write_metadata.metadata = rd_u64(&body);
        in->write_metadata.mask = rd_u64(&body);
        return length == 24 ? 0 : OFPBIC_BAD_LEN;
    case OFPIT_WRITE_ACTIONS:
    case OFPIT_APPLY_ACTIONS:
    case OFPIT_CLEAR_ACTIONS:
        rd_skip(&body, 4);
        if (type == OFPIT_CLEAR_ACTIONS && length != 8)
            return OFPBIC_BAD_LEN;
        return of_decode_actions(&body, &in->actions, arena);
    case OFPIT_METER:
        in->meter_id = rd_u32(&body);
        return length == 8 ? 0 : OFPBIC_BAD_LEN;
    case OFPIT_EXPERIMENTER:
        return OFPBIC_BAD_EXPERIMENTER;
    default:
        return OFPBIC_UNKNOWN_INST;
    }
}

of_error of_decode_instructions(struct reader *r, struct of_instructions *instructions,
                                struct arena *arena)
{
    size_t count = count_parts(*r);
    uint32_t seen = 0;

    instructions->count = 0;
    instructions->at = count ? arena_array(arena, count, sizeof(*instructions->at)) : NULL;
    if (count && !instructions->at)
        return OFPBIC_BAD_LEN;
    while (rd_left(r) > 0) {
        struct of_instruction *in;
        of_error error;

        if (instructions->count >= count)
            return OFPBIC_BAD_LEN;
        in = &instructions->at[instructions->count];
        error = decode_instruction(r, in, arena);
        if (error)
            return error;
        if (seen & 1u << in->type) /* clause 5.9: at most one of each type */
            return OFPBIC_DUP_INST;
        seen |= 1u << in->type;
        instructions->count++;
    }
    return r->bad ? OFPBIC_BAD_LEN : 0;
}

/* ---- encoding ---- */

static void encode_nxm_header(struct writer *w, const struct of_field *f)
{
    wr_u16(w, f->oxm_class);
    wr_u8(w, (uint8_t)(f->number << 1));
    wr_u8(w, f->bytes);
}

static void encode_experimenter(struct writer *w, const struct of_action *a)
{
    wr_u16(w, OFPAT_EXPERIMENTER);
    wr_u16(w, 24);
    wr_u32(w, OF_EXPERIMENTER_NICIRA);
    if (a->type == OF_NX_REG_LOAD) {
        wr_u16(w, NXAST_REG_LOAD);
        wr_u16(w, (uint16_t)(a->reg_load.offset << 6 | ((a->reg_load.n_bits - 1) & 0x3f)));
        encode_nxm_header(w, &of_fields[a->reg_load.field]);
        wr_u64(w, a->reg_load.value);
    } else {
        wr_u16(w, NXAST_REG_MOVE);
        wr_u16(w, a->reg_move.n_bits);
        wr_u16(w, a->reg_move.from_offset);
        wr_u16(w, a->reg_move.to_offset);
        encode_nxm_header(w, &of_fields[a->reg_move.from]);
        encode_nxm_header(w, &of_fields[a->reg_move.to]);
    }
}

static void encode_action(struct writer *w, const struct of_action *a)
{
    const struct action_row *row = action_row(a->type);
    size_t start = wr_len(w);

    if (a->type == OF_NX_REG_LOAD || a->type == OF_NX_REG_MOVE) {
        encode_experimenter(w, a);
        return;
    }
    if (!row) {
        wr_fail(w);
        return;
    }
    wr_u16(w, row->type);
    wr_u16(w, row->length);
    switch (row->argument) {
    case ARG_OUTPUT:
        wr_u32(w, a->output.port);
        wr_u16(w, a->output.max_len);
        break;
    case ARG_U32:
        wr_u32(w, a->group_id);
        break;
    case ARG_ETHERTYPE:
        wr_u16(w, a->ethertype);
        break;
    case ARG_TTL:
        wr_u8(w, a->ttl);
        break;
    case ARG_SET_FIELD:
        of_encode_oxm(w, &of_fields[a->set_field.field], a->set_field.value, NULL);
        wr_zero(w, (8 - (wr_len(w) - start) % 8) % 8);
        wr_patch_u16(w, start + 2, (uint16_t)(wr_len(w) - start));
        return;
    }
    if (wr_len(w) - start < row->length)
        wr_zero(w, row->length - (wr_len(w) - start));
}

void of_encode_actions(struct writer *w, const struct of_action *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        encode_action(w, &at[i]);
}

void of_encode_instructions(struct writer *w, const struct of_instructions *instructions)
{
    for (size_t i = 0; i < instructions->count; i++) {
        const struct of_instruction *in = &instructions->at[i];
        size_t start = wr_len(w);

        wr_u16(w, in->type);
        wr_u16(w, 0);
        switch (in->type) {
        case OFPIT_GOTO_TABLE:
            wr_u8(w, in->table_id);
            wr_zero(w, 3);
            break;
        case OFPIT_WRITE_METADATA:
            wr_zero(w, 4);
            wr_u64(w, in->write_metadata.metadata);
            wr_u64(w, in->write_metadata.mask);
            break;
        case OFPIT_METER:
            wr_u32(w, in->meter_id);
            break;
        default:
            wr_zero(w, 4);
            of_encode_actions(w, in->actions.at, in->actions.count);
        }
        wr_patch_u16(w, start + 2, (uint16_t)(wr_len(w) - start));
    }
}

/* ---- printing ---- */

void of_print_port(struct text *t, uint32_t port)
{
    static const struct {
        uint32_t port;
        const char *name;
    } names[] = {
        {OFPP_IN_PORT, "IN_PORT"}, {OFPP_TABLE, "TABLE"}, {OFPP_NORMAL, "NORMAL"},
        {OFPP_FLOOD, "FLOOD"},     {OFPP_ALL, "ALL"},     {OFPP_CONTROLLER, "CONTROLLER"},
        {OFPP_LOCAL, "LOCAL"},     {OFPP_ANY, "ANY"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].port == port) {
            text_add(t, "%s", names[i].name);
            return;
        }
    text_add(t, "%u", port);
}

static void print_action(struct text *t, const struct of_action *a)
{
    const struct action_row *row = action_row(a->type);

    if (a->type == OF_NX_REG_LOAD) {
        text_add(t, "load:0x%llx->%s[%u..%u]", (unsigned long long)a->reg_load.value,
                 of_fields[a->reg_load.field].name, a->reg_load.offset,
                 a->reg_load.offset + a->reg_load.n_bits - 1u);
    } else if (a->type == OF_NX_REG_MOVE) {
        text_add(t, "move:%s[%u..%u]->%s[%u..%u]", of_fields[a->reg_move.from].name,
                 a->reg_move.from_offset, a->reg_move.from_offset + a->reg_move.n_bits - 1u,
                 of_fields[a->reg_move.to].name, a->reg_move.to_offset,
                 a->reg_move.to_offset + a->reg_move.n_bits - 1u);
    } else if (!row) {
        text_add(t, "action%u", a->type);
    } else if (row->argument == ARG_SET_FIELD) {
        text_add(t, "set_field:");
        of_print_value(t, &of_fields[a->set_field.field], a->set_field.value);
        text_add(t, "->%s", of_fields[a->set_field.field].name);
    } else if (row->argument == ARG_OUTPUT) {
        if (a->output.port == OFPP_CONTROLLER) {
            text_add(t, "CONTROLLER:%u", a->output.max_len);
        } else {
            text_add(t, "output:");
            of_print_port(t, a->output.port);
        }
    } else if (row->argument == ARG_U32) {
        text_add(t, "%s:%u", row->name, a->group_id);
    } else if (row->argument == ARG_ETHERTYPE) {
        text_add(t, "%s:0x%04x", row->name, a->ethertype);
    } else if (row->argument == ARG_TTL) {
        text_add(t, "%s:%u", row->name, a->ttl);
    } else {
        text_add(t, "%s", row->name);
    }
}

void of_print_actions(struct text *t, const struct of_actions *actions)
{
    if (actions->count == 0)
        text_add(t, "drop");
    for (size_t i = 0; i < actions->count; i++) {
        text_add(t, "%s", i ? "," : "");
        print_action(t, &actions->at[i]);
    }
}

/* Actions that are applied stand alone, as ovs-ofctl writes them; the other instructions have their
 * name. */
static void print_instruction(struct text *t, const struct of_instruction *in)
{
    switch (in->type) {
    case OFPIT_GOTO_TABLE:
        text_add(t, "goto_table:%u", in->table_id);
        break;
    case OFPIT_WRITE_METADATA:
        text_add(t, "write_metadata:0x%llx", (unsigned long long)in->write_metadata.metadata);
        if (in->write_metadata.mask != UINT64_MAX)
            text_add(t, "/0x%llx", (unsigned long long)in->write_metadata.mask);
        break;
    case OFPIT_WRITE_ACTIONS:
        text_add(t, "write_actions(");
        of_print_actions(t, &in->actions);
        text_add(t, ")");
        break;
    case OFPIT_APPLY_ACTIONS:
        of_print_actions(t, &in->actions);
        break;
    case OFPIT_CLEAR_ACTIONS:
        text_add(t, "clear_actions");
        break;
    case OFPIT_METER:
        text_add(t, "meter:%u", in->meter_id);
        break;
    default:
        text_add(t, "instruction%u", in->type);
    }
}

void of_print_instructions(struct text *t, const struct of_instructions *instructions)
{
    if (instructions->count == 0)
        text_add(t, "drop");
    for (size_t i = 0; i < instructions->count; i++) {
        text_add(t, "%s", i ? "," : "");
        print_instruction(t, &instructions->at[i]);
    }
}
