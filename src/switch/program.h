/*
 * program.h -- instructions and actions as the pipeline carries them out.
 *
 * What a controller writes in a flow or in a group's bucket is turned once into a row of operations
 * of 8 bytes each, in the order in which they happen, and executed for every packet: what a tunnel
 * needs fits a cache line together with the key that is looked for. Numbers are as the packet has
 * them (network order where the packet has it), set_field of a pipeline field is a copy into the
 * key, and an action set of a bucket is already sorted. What the controller wrote
 * stays beside it in OpenFlow's own bytes, for whoever asks.
 *
 * No state: any thread.
 */
#ifndef STROWGER_SWITCH_PROGRAM_H
#define STROWGER_SWITCH_PROGRAM_H

#include "wire/openflow/openflow.h"

enum op_code {
    OP_OUTPUT,     /* number: port */
    OP_CONTROLLER, /* field, bits: max_len, number: OFPP_CONTROLLER */
    OP_GROUP,      /* number: id */
    OP_KEY_32,     /* a pipeline field: number: its bytes */
    OP_KEY_64,     /* the same: number: its lower half as a number, the upper is zero */
    OP_SET,        /* field of up to 4 bytes, number: they */
    OP_SET_LONG,   /* field, its bytes behind */
    OP_REG_LOAD,   /* field, bits, number: offset; value behind */
    OP_REG_MOVE,   /* field: from, bits: to, number: from_offset << 16 | to_offset; n_bits behind */
    OP_COPY_TTL_OUT,
    OP_COPY_TTL_IN,
    OP_SET_MPLS_TTL, /* number */
    OP_DEC_MPLS_TTL,
    OP_SET_NW_TTL, /* number */
    OP_DEC_NW_TTL,
    OP_PUSH_VLAN, /* number: ethertype; so do the others */
    OP_POP_VLAN,
    OP_PUSH_MPLS,
    OP_POP_MPLS,
    OP_PUSH_PBB,
    OP_POP_PBB,
    OP_SET_QUEUE, /* number: id */
    OP_METER,     /* number: id */
    OP_CLEAR,
    OP_WRITE,    /* number: so many ops, with their data, behind it go into the action set */
    OP_METADATA, /* value and mask behind; network order */
    OP_GOTO,     /* number: table */
};

struct op {
    uint8_t code;  /* enum op_code */
    uint8_t extra; /* words of data behind it; and OP_LAST: of a flow's program, what follows is
                      nothing */
    uint8_t field; /* enum of_field_id */
    uint8_t bits;
    uint32_t number;
};
_Static_assert(sizeof(struct op) == 8, "eight operations are a cache line");

#define OP_LAST 0x80u

static inline const struct op *op_next(const struct op *op)
{
    return op + 1 + (op->extra & ~OP_LAST);
}

/* The one that is carried out next: what a write-actions has in it is no step of its own. */
static inline const struct op *op_next_step(const struct op *op)
{
    return op_next(op) + (op->code == OP_WRITE ? op->number : 0);
}

/* A word of its data. */
static inline uint64_t op_data(const struct op *op, unsigned n)
{
    uint64_t word;

    memcpy(&word, op + 1 + n, sizeof(word));
    return word;
}

static inline uint16_t op_max_len(const struct op *op)
{
    return (uint16_t)(op->field << 8 | op->bits);
}

/* How many ops the instructions become, and they: at[0..count). The order is that of clause 5.9,
 * but clear-actions goes first, where it does the same. */
size_t program_size(const struct of_instructions *instructions);
void program_compile(struct op *at, const struct of_instructions *instructions);
/* Marks the last step, so that it can be run without its length. */
void program_mark_last(struct op *at, size_t count);

/* The same for an action set (a bucket's), in the order of clause 5.10: a group before and instead
 * of an output. `at` has room for twice program_set_size() ops: it is used in between. Returns how
 * many ops are left. */
size_t program_set_size(const struct of_actions *actions);
size_t program_compile_set(struct op *at, const struct of_actions *actions);

/* True when one of them outputs to this port or group (OFPP_ANY, OFPG_ANY: is not asked for). */
bool program_outputs_to(const struct op *at, size_t count, uint32_t port, uint32_t group);

/* Calls `each` for every group (OP_GROUP) and meter (OP_METER) that is named. */
void program_each_reference(const struct op *at, size_t count,
                            void (*each)(const struct op *op, void *context), void *context);

/* ---- action sets (clause 5.10) ---- */

/* In the order of execution. */
enum set_place {
    SET_COPY_TTL_IN,
    SET_POP_VLAN,
    SET_POP_MPLS,
    SET_POP_PBB,
    SET_PUSH_MPLS,
    SET_PUSH_PBB,
    SET_PUSH_VLAN,
    SET_COPY_TTL_OUT,
    SET_DEC_MPLS_TTL,
    SET_DEC_NW_TTL,
    SET_MPLS_TTL,
    SET_NW_TTL,
    SET_FIELDS, /* here all of them */
    SET_QUEUE,
    SET_GROUP,
    SET_OUTPUT,
    SET_PLACES
};

/* One action of each kind, and one set_field per field. */
struct action_set {
    bool used;
    uint64_t fields; /* for which there is a set_field */
    const struct op *actions[SET_PLACES];
    const struct op *set_field[OF_FIELD_COUNT];
};

#define SET_LIST_MAX (SET_PLACES + OF_FIELD_COUNT)

/* Merges ops into the set. */
void action_set_write(struct action_set *set, const struct op *at, size_t count);
/* The set as a list of at most SET_LIST_MAX in its order of execution; its length. */
size_t action_set_list(const struct action_set *set, const struct op **list);

#endif
