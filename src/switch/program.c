/*
 * program.c -- see program.h: from instructions to operations (OpenFlow 1.3.5 clauses 5.9 to 5.12).
 */
#include "switch/program.h"

static const uint8_t codes[] = {
    [OFPAT_COPY_TTL_OUT] = OP_COPY_TTL_OUT, [OFPAT_COPY_TTL_IN] = OP_COPY_TTL_IN,
    [OFPAT_SET_MPLS_TTL] = OP_SET_MPLS_TTL, [OFPAT_DEC_MPLS_TTL] = OP_DEC_MPLS_TTL,
    [OFPAT_SET_NW_TTL] = OP_SET_NW_TTL,     [OFPAT_DEC_NW_TTL] = OP_DEC_NW_TTL,
    [OFPAT_PUSH_VLAN] = OP_PUSH_VLAN,       [OFPAT_POP_VLAN] = OP_POP_VLAN,
    [OFPAT_PUSH_MPLS] = OP_PUSH_MPLS,       [OFPAT_POP_MPLS] = OP_POP_MPLS,
    [OFPAT_PUSH_PBB] = OP_PUSH_PBB,         [OFPAT_POP_PBB] = OP_POP_PBB,
    [OFPAT_SET_QUEUE] = OP_SET_QUEUE,       [OFPAT_GROUP] = OP_GROUP,
};

/* ---- actions ---- */

static size_t field_words(enum of_field_id id)
{
    return (of_fields[id].bytes + 7u) / 8;
}

static bool is_short_number(const struct of_action *a)
{
    static const uint8_t zeros[4];

    return of_fields[a->set_field.field].pipeline && of_fields[a->set_field.field].bytes == 8 &&
           memcmp(a->set_field.value, zeros, 4) == 0;
}

/* Ops and words of data. */
static size_t action_size(const struct of_action *a)
{
    switch (a->type) {
    case OFPAT_SET_FIELD:
        return of_fields[a->set_field.field].bytes <= 4 || is_short_number(a)
                   ? 1
                   : 1 + field_words(a->set_field.field);
    case OF_NX_REG_LOAD:
    case OF_NX_REG_MOVE:
        return 2;
    default:
        return 1;
    }
}

static size_t compile_set_field(struct op *op, const struct of_action *a)
{
    const struct of_field *f = &of_fields[a->set_field.field];

    *op = (struct op){.code = OP_SET, .field = (uint8_t)a->set_field.field};
    if (is_short_number(a)) {
        uint32_t low;

        memcpy(&low, a->set_field.value + 4, sizeof(low));
        op->code = OP_KEY_64;
        op->number = ntohl(low);
    } else if (f->bytes <= 4) {
        memcpy(&op->number, a->set_field.value, f->bytes);
        if (f->pipeline && f->bytes == 4)
            op->code = OP_KEY_32;
    } else {
        op->code = OP_SET_LONG;
        op->extra = (uint8_t)field_words(a->set_field.field);
        memset(op + 1, 0, op->extra * sizeof(*op));
        memcpy(op + 1, a->set_field.value, f->bytes);
    }
    return 1u + op->extra;
}

static void put_data(struct op *op, uint64_t word)
{
    memcpy(op + 1 + op->extra++, &word, sizeof(word));
}

/* Returns how many ops and words it became. */
static size_t compile_action(struct op *op, const struct of_action *a)
{
    *op = (struct op){.code = OP_SET_QUEUE};
    switch (a->type) {
    case OFPAT_OUTPUT:
        op->code = a->output.port == OFPP_CONTROLLER ? OP_CONTROLLER : OP_OUTPUT;
        op->number = a->output.port;
        op->field = (uint8_t)(a->output.max_len >> 8);
        op->bits = (uint8_t)a->output.max_len;
        break;
    case OFPAT_SET_FIELD:
        return compile_set_field(op, a);
    case OF_NX_REG_LOAD:
        *op = (struct op){OP_REG_LOAD, 0, (uint8_t)a->reg_load.field, a->reg_load.n_bits,
                          a->reg_load.offset};
        put_data(op, a->reg_load.value);
        break;
    case OF_NX_REG_MOVE:
        *op = (struct op){OP_REG_MOVE, 0, (uint8_t)a->reg_move.from, (uint8_t)a->reg_move.to,
                          (uint32_t)a->reg_move.from_offset << 16 | a->reg_move.to_offset};
        put_data(op, a->reg_move.n_bits);
        break;
    case OFPAT_SET_MPLS_TTL:
    case OFPAT_SET_NW_TTL:
        op->code = codes[a->type];
        op->number = a->ttl;
        break;
    case OFPAT_GROUP:
    case OFPAT_SET_QUEUE:
        op->code = codes[a->type];
        op->number = a->group_id;
        break;
    case OFPAT_PUSH_VLAN:
    case OFPAT_PUSH_MPLS:
    case OFPAT_POP_MPLS:
    case OFPAT_PUSH_PBB:
        op->code = codes[a->type];
        op->number = a->ethertype;
        break;
    default:
        if (a->type < sizeof(codes) / sizeof(codes[0]))
            op->code = codes[a->type];
    }
    return 1u + op->extra;
}

static size_t actions_size(const struct of_actions *actions)
{
    size_t n = 0;

    for (size_t i = 0; i < actions->count; i++)
        n += action_size(&actions->at[i]);
    return n;
}

static size_t compile_actions(struct op *at, const struct of_actions *actions)
{
    size_t n = 0;

    for (size_t i = 0; i < actions->count; i++)
        n += compile_action(at + n, &actions->at[i]);
    return n;
}

/* ---- instructions ---- */

/* In the order in which they are carried out. */
static const uint16_t instruction_order[] = {OFPIT_METER,          OFPIT_CLEAR_ACTIONS,
                                             OFPIT_APPLY_ACTIONS,  OFPIT_WRITE_ACTIONS,
                                             OFPIT_WRITE_METADATA, OFPIT_GOTO_TABLE};
#define INSTRUCTIONS (sizeof(instruction_order) / sizeof(instruction_order[0]))

static size_t instruction_size(const struct of_instruction *in)
{
    switch (in->type) {
    case OFPIT_APPLY_ACTIONS:
        return actions_size(&in->actions);
    case OFPIT_WRITE_ACTIONS:
        return 1 + actions_size(&in->actions);
    case OFPIT_WRITE_METADATA:
        return 3;
    default:
        return 1;
    }
}

size_t program_size(const struct of_instructions *instructions)
{
    size_t n = 0;

    for (size_t i = 0; i < instructions->count; i++)
        n += instruction_size(&instructions->at[i]);
    return n;
}

static size_t compile_instruction(struct op *op, const struct of_instruction *in)
{
    switch (in->type) {
    case OFPIT_METER:
        *op = (struct op){.code = OP_METER, .number = in->meter_id};
        return 1;
    case OFPIT_CLEAR_ACTIONS:
        *op = (struct op){.code = OP_CLEAR};
        return 1;
    case OFPIT_APPLY_ACTIONS:
        return compile_actions(op, &in->actions);
    case OFPIT_WRITE_ACTIONS:
        *op = (struct op){.code = OP_WRITE, .number = (uint32_t)actions_size(&in->actions)};
        return 1 + compile_actions(op + 1, &in->actions);
    case OFPIT_WRITE_METADATA:
        *op = (struct op){.code = OP_METADATA};
        put_data(op, htobe64(in->write_metadata.metadata));
        put_data(op, htobe64(in->write_metadata.mask));
        return 3;
    default:
        *op = (struct op){.code = OP_GOTO, .number = in->table_id};
        return 1;
    }
}

void program_compile(struct op *at, const struct of_instructions *instructions)
{
    for (size_t order = 0; order < INSTRUCTIONS; order++)
        for (size_t i = 0; i < instructions->count; i++)
            if (instructions->at[i].type == instruction_order[order])
                at += compile_instruction(at, &instructions->at[i]);
}

void program_mark_last(struct op *at, size_t count)
{
    struct op *op = at, *last = NULL;

    while (op < at + count) {
        last = op;
        op += op_next_step(op) - op;
    }
    if (last)
        last->extra |= OP_LAST;
}

/* ---- action sets ---- */

static const uint8_t set_places[] = {
    [OP_COPY_TTL_IN] = SET_COPY_TTL_IN,
    [OP_POP_VLAN] = SET_POP_VLAN,
    [OP_POP_MPLS] = SET_POP_MPLS,
    [OP_POP_PBB] = SET_POP_PBB,
    [OP_PUSH_MPLS] = SET_PUSH_MPLS,
    [OP_PUSH_PBB] = SET_PUSH_PBB,
    [OP_PUSH_VLAN] = SET_PUSH_VLAN,
    [OP_COPY_TTL_OUT] = SET_COPY_TTL_OUT,
    [OP_DEC_MPLS_TTL] = SET_DEC_MPLS_TTL,
    [OP_DEC_NW_TTL] = SET_DEC_NW_TTL,
    [OP_SET_MPLS_TTL] = SET_MPLS_TTL,
    [OP_SET_NW_TTL] = SET_NW_TTL,
    [OP_SET_QUEUE] = SET_QUEUE,
    [OP_GROUP] = SET_GROUP,
    [OP_OUTPUT] = SET_OUTPUT,
    [OP_CONTROLLER] = SET_OUTPUT,
};

static bool sets_field(const struct op *op)
{
    return op->code == OP_SET || op->code == OP_SET_LONG || op->code == OP_KEY_32 ||
           op->code == OP_KEY_64;
}

void action_set_write(struct action_set *set, const struct op *at, size_t count)
{
    if (!set->used) {
        memset(set->actions, 0, sizeof(set->actions));
        set->fields = 0;
        set->used = true;
    }
    for (const struct op *op = at; op < at + count; op = op_next(op)) {
        if (sets_field(op)) {
            set->set_field[op->field] = op;
            set->fields |= OF_FIELD_BIT(op->field);
        } else if (op->code < sizeof(set_places)) {
            set->actions[set_places[op->code]] = op;
        }
    }
}

size_t action_set_list(const struct action_set *set, const struct op **list)
{
    size_t count = 0;

    for (size_t i = 0; i < SET_PLACES; i++) {
        if (i == SET_FIELDS)
            for (uint64_t left = set->fields; left; left &= left - 1)
                list[count++] = set->set_field[__builtin_ctzll(left)];
        else if (set->actions[i] && !(i == SET_OUTPUT && set->actions[SET_GROUP]))
            list[count++] = set->actions[i];
    }
    return count;
}

size_t program_set_size(const struct of_actions *actions)
{
    return actions_size(actions);
}

/* Compiled in the order given first, behind the room for the result; then sorted into it. */
size_t program_compile_set(struct op *at, const struct of_actions *actions)
{
    struct op *unsorted = at + actions_size(actions);
    const struct op *list[SET_LIST_MAX];
    struct action_set set = {.used = false};
    size_t count, n = 0;

    action_set_write(&set, unsorted, compile_actions(unsorted, actions));
    count = action_set_list(&set, list);
    for (size_t i = 0; i < count; i++) {
        size_t ops = (size_t)(op_next(list[i]) - list[i]);

        memcpy(at + n, list[i], ops * sizeof(*at));
        n += ops;
    }
    return n;
}

/* ---- what they refer to ---- */

bool program_outputs_to(const struct op *at, size_t count, uint32_t port, uint32_t group)
{
    for (const struct op *op = at; op < at + count; op = op_next(op))
        if (((op->code == OP_OUTPUT || op->code == OP_CONTROLLER) && port != OFPP_ANY &&
             op->number == port) ||
            (op->code == OP_GROUP && group != OFPG_ANY && op->number == group))
            return true;
    return false;
}

void program_each_reference(const struct op *at, size_t count,
                            void (*each)(const struct op *op, void *context), void *context)
{
    for (const struct op *op = at; op < at + count; op = op_next(op))
        if (op->code == OP_GROUP || op->code == OP_METER)
            each(op, context);
}
