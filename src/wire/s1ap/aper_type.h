/*
 * aper_type.h -- ASN.1 types as tables, in the way the 3GPP's protocols use ASN.1.
 *
 * S1AP (and X2AP, SBc-AP, NGAP after it) is written with few means: numbers, enumerations, strings,
 * SEQUENCE, CHOICE, SEQUENCE OF, and the protocol-IE container, a list of {id, criticality, open
 * type}. Here a type is a constant struct aper_type that says which of these it is, its bounds, and
 * where its parts lie in a C struct. The functions below walk the tables to decode, encode and
 * print any value.
 *
 * How values lie in C is told in ies.h. A number, enumeration or fixed string takes `size` octets;
 * a list is LIST_OF(); an optional part is a pointer (or a list that may be empty); a CHOICE is a
 * struct whose first member is an unsigned that counts the alternatives from 0, extensions after
 * the root.
 *
 * What a decoder meets is one of three things (TS 36.413 clause 10): a value; something that cannot
 * be decoded (in.r.bad); something well formed that this release does not know: an IE id, an
 * enumeration value, a CHOICE alternative. The last is kept as a struct aper_fault with the id and
 * criticality of the IE it stood in, and the IE is left out.
 */
#ifndef STROWGER_WIRE_S1AP_APER_TYPE_H
#define STROWGER_WIRE_S1AP_APER_TYPE_H

#include "base/text.h"
#include "wire/s1ap/aper.h"
#include "wire/tlv.h" /* LIST_OF */

#define APER_MAX_FAULTS 256 /* maxnoofErrors */

struct aper_fault {
    uint16_t id;
    uint8_t criticality;
    bool missing; /* else: not understood */
};

struct aper_decoder {
    struct aper_reader in;
    bool not_understood;       /* the IE being decoded has an unknown value */
    bool disordered;           /* an IE stood in the wrong place or was there twice */
    struct aper_fault *faults; /* in the arena */
    size_t fault_count;
    size_t fault_room;
};

typedef LIST_OF(void) aper_list; /* what every LIST_OF() looks like */

struct aper_type;

struct aper_ops {
    const char *kind;
    /* `value` is zeroed; it may be left in any state when the decoder goes bad. */
    void (*decode)(struct aper_decoder *d, const struct aper_type *type, void *value);
    void (*encode)(struct aper_writer *out, const struct aper_type *type, const void *value);
    void (*print)(struct text *t, const struct aper_type *type, const void *value);
};

enum aper_presence {
    APER_MANDATORY,     /* what a row is that does not say */
    APER_OPTIONAL,      /* a pointer */
    APER_OPTIONAL_LIST, /* LIST_OF(), absent when empty */
};

/* A component of a SEQUENCE, an alternative of a CHOICE. */
struct aper_field {
    const char *name;
    const struct aper_type *type;
    uint16_t offset;
    uint16_t size; /* of the C value, of a list's element: must agree with the type's */
    uint8_t presence;
};

/* One IE of a container. */
struct aper_row {
    const char *name;
    const struct aper_type *type;
    uint16_t id;
    uint16_t offset;
    uint16_t size;
    uint8_t presence;
    uint8_t criticality;
};

struct aper_container {
    const struct aper_row *rows; /* in the order of the specification; at most 64 */
    uint16_t count;
};

struct aper_type {
    const struct aper_ops *ops;
    const char *name; /* the specification's */
    uint16_t size;    /* of the C value */
    bool extensible;  /* there is a "..." */
    bool secret;      /* never printed */
    uint16_t count;   /* of fields or names */
    uint16_t root;    /* of those before the "..." */
    uint64_t lower;   /* of a number, of a size */
    uint64_t upper;
    union {
        const struct aper_field *fields; /* SEQUENCE, CHOICE */
        const char *const *names;        /* ENUMERATED */
        const struct aper_type *element; /* SEQUENCE OF */
        const struct aper_row *item;     /* SEQUENCE OF single containers, single container */
    };
    const struct aper_container *extensions; /* of a SEQUENCE with iE-Extensions */
};

/* ---- the kinds of types ---- */

extern const struct aper_ops aper_integer;    /* lower, upper, extensible; size 1, 2, 4 or 8 */
extern const struct aper_ops aper_enumerated; /* names, count, root, extensible; size 4 */
extern const struct aper_ops aper_null;       /* nothing */
extern const struct aper_ops aper_bits;       /* fixed BIT STRING as a number: upper <= 64 bits */
extern const struct aper_ops aper_octets_number; /* fixed OCTET STRING as a number: upper <= 8 */
extern const struct aper_ops aper_octets_fixed;  /* fixed OCTET STRING as uint8_t[upper] */
extern const struct aper_ops aper_bits_fixed;    /* fixed BIT STRING as uint8_t[upper / 8] */
extern const struct aper_ops aper_octet_string;  /* struct bytes */
extern const struct aper_ops aper_printable;     /* struct bytes, printed as text */
extern const struct aper_ops aper_opaque;   /* struct bytes: an open type's content, as encoded */
extern const struct aper_ops aper_sequence; /* fields, extensions, extensible */
extern const struct aper_ops aper_choice;   /* fields, count, root, extensible */
extern const struct aper_ops aper_sequence_of;    /* element, lower, upper */
extern const struct aper_ops aper_container_list; /* the same of single containers: item */
extern const struct aper_ops aper_single;         /* item: a single container */

static inline bool aper_is_list(const struct aper_type *type)
{
    return type->ops == &aper_sequence_of || type->ops == &aper_container_list;
}

/* ---- rows in tables ---- */

/* Where `member` of a C struct lies, and how large `what` of it is. */
#define APER_PLACE(struct_name, member, what)                        \
    .name = #member, .offset = offsetof(struct struct_name, member), \
    .size = sizeof(((struct struct_name *)NULL)->what)

/* A mandatory, optional or list component `member` of C struct `struct_name`. */
#define APER_FIELD(struct_name, member, type_of)                    \
    {                                                               \
        APER_PLACE(struct_name, member, member), .type = &(type_of) \
    }
#define APER_FIELD_OPTIONAL(struct_name, member, type_of)                                         \
    {                                                                                             \
        APER_PLACE(struct_name, member, member[0]), .type = &(type_of), .presence = APER_OPTIONAL \
    }
#define APER_FIELD_LIST(struct_name, member, type_of)                     \
    {                                                                     \
        APER_PLACE(struct_name, member, member.at[0]), .type = &(type_of) \
    }
#define APER_FIELD_OPTIONAL_LIST(struct_name, member, type_of)                        \
    {                                                                                 \
        APER_PLACE(struct_name, member, member.at[0]), .type = &(type_of),            \
                                                       .presence = APER_OPTIONAL_LIST \
    }

/* The same for an IE. */
#define APER_ROW(struct_name, member, id_of, criticality_of, type_of)             \
    {                                                                             \
        APER_PLACE(struct_name, member, member), .type = &(type_of), .id = id_of, \
                                                 .criticality = criticality_of    \
    }
#define APER_ROW_OPTIONAL(struct_name, member, id_of, criticality_of, type_of)       \
    {                                                                                \
        APER_PLACE(struct_name, member, member[0]), .type = &(type_of), .id = id_of, \
                                                    .criticality = criticality_of,   \
                                                    .presence = APER_OPTIONAL        \
    }
#define APER_ROW_LIST(struct_name, member, id_of, criticality_of, type_of)              \
    {                                                                                   \
        APER_PLACE(struct_name, member, member.at[0]), .type = &(type_of), .id = id_of, \
                                                       .criticality = criticality_of    \
    }
#define APER_ROW_OPTIONAL_LIST(struct_name, member, id_of, criticality_of, type_of)     \
    {                                                                                   \
        APER_PLACE(struct_name, member, member.at[0]), .type = &(type_of), .id = id_of, \
                                                       .criticality = criticality_of,   \
                                                       .presence = APER_OPTIONAL_LIST   \
    }

#define APER_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- walking ---- */

static inline void aper_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    type->ops->decode(d, type, value);
}

static inline void aper_encode(struct aper_writer *out, const struct aper_type *type,
                               const void *value)
{
    type->ops->encode(out, type, value);
}

void aper_print(struct text *t, const struct aper_type *type, const void *value);
void aper_print_list(struct text *t, const struct aper_type *element, const aper_list *list);

/* The IEs of a message: `body` is its struct, zeroed; `lacking` gets a bit for each row (by index)
 * that is mandatory and was not there or not understood. */
void aper_decode_container(struct aper_decoder *d, const struct aper_container *container,
                           void *body, uint64_t *lacking);
void aper_encode_container(struct aper_writer *out, const struct aper_container *container,
                           const void *body);
void aper_print_container(struct text *t, const struct aper_container *container, const void *body);

/* The value of a row in `body`: inline or behind its pointer; NULL when it is absent. */
const void *aper_row_value(const struct aper_row *row, const void *body);

#endif
