/*
 * aper_type.c -- see aper_type.h: the plain types. Containers of IEs are in aper_container.c.
 *
 * Clause numbers are those of X.691 (07/2002).
 */
#include "wire/s1ap/aper_type.h"

static void put_number(void *value, size_t size, uint64_t v)
{
    switch (size) {
    case 1:
        *(uint8_t *)value = (uint8_t)v;
        break;
    case 2:
        *(uint16_t *)value = (uint16_t)v;
        break;
    case 4:
        *(uint32_t *)value = (uint32_t)v;
        break;
    default:
        *(uint64_t *)value = v;
    }
}

static uint64_t get_number(const void *value, size_t size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)value;
    case 2:
        return *(const uint16_t *)value;
    case 4:
        return *(const uint32_t *)value;
    default:
        return *(const uint64_t *)value;
    }
}

/* ---- INTEGER (clause 12) ---- */

static void integer_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    if (type->extensible && aper_read_bits(&d->in, 1)) {
        uint64_t v;
        if (!aper_read_unconstrained(&d->in, &v) || (type->size < 8 && v >> (type->size * 8) != 0))
            d->not_understood = true; /* no C value for it, and no meaning in this release */
        else
            put_number(value, type->size, v);
        return;
    }
    put_number(value, type->size, aper_read_number(&d->in, type->lower, type->upper));
}

static void integer_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    uint64_t v = get_number(value, type->size);
    bool inside = v >= type->lower && v <= type->upper;

    if (type->extensible)
        aper_write_bits(out, !inside, 1);
    if (type->extensible && !inside)
        aper_write_unconstrained(out, v);
    else
        aper_write_number(out, v, type->lower, type->upper);
}

static void number_print(struct text *t, const struct aper_type *type, const void *value)
{
    text_add(t, "%llu", (unsigned long long)get_number(value, type->size));
}

const struct aper_ops aper_integer = {"INTEGER", integer_decode, integer_encode, number_print};

/* ---- ENUMERATED (clause 13) ---- */

static void enumerated_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    uint64_t v;

    if (type->extensible && aper_read_bits(&d->in, 1)) {
        v = aper_read_small(&d->in) + type->root;
        if (v >= type->count)
            d->not_understood = true;
        if (v > UINT16_MAX)
            rd_fail(&d->in.r);
    } else {
        v = aper_read_number(&d->in, 0, type->root - 1u);
    }
    put_number(value, type->size, v);
}

static void enumerated_encode(struct aper_writer *out, const struct aper_type *type,
                              const void *value)
{
    uint64_t v = get_number(value, type->size);
    bool inside = v < type->root;

    if (type->extensible)
        aper_write_bits(out, !inside, 1);
    if (type->extensible && !inside)
        aper_write_small(out, v - type->root);
    else
        aper_write_number(out, v, 0, type->root - 1u);
}

static void enumerated_print(struct text *t, const struct aper_type *type, const void *value)
{
    uint64_t v = get_number(value, type->size);

    if (v < type->count)
        text_add(t, "%s", type->names[v]);
    else
        text_add(t, "unknown-%llu", (unsigned long long)v);
}

const struct aper_ops aper_enumerated = {"ENUMERATED", enumerated_decode, enumerated_encode,
                                         enumerated_print};

/* ---- NULL (clause 17): no bits at all ---- */

static void null_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    (void)d, (void)type, (void)value;
}

static void null_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    (void)out, (void)type, (void)value;
}

static void null_print(struct text *t, const struct aper_type *type, const void *value)
{
    (void)type, (void)value;
    text_add(t, "null");
}

const struct aper_ops aper_null = {"NULL", null_decode, null_encode, null_print};

/* ---- BIT STRING and OCTET STRING of fixed size (clauses 15, 16) ---- */

static void hex_print(struct text *t, const struct aper_type *type, const void *value)
{
    text_add(t, "0x%llx", (unsigned long long)get_number(value, type->size));
}

/* A BIT STRING (SIZE(n, ...)) may come longer; this release knows the first n bits only. */
static uint64_t bits_beyond(struct aper_decoder *d, const struct aper_type *type)
{
    size_t bits;
    struct bytes b = aper_read_bit_string(&d->in, 0, APER_UNBOUNDED, false, &bits);
    struct aper_reader first = aper_reader_of(b, NULL);

    if (bits < type->upper)
        rd_fail(&d->in.r);
    return d->in.r.bad ? 0 : aper_read_bits(&first, (unsigned)type->upper);
}

static void bits_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    if (type->extensible && aper_read_bits(&d->in, 1))
        put_number(value, type->size, bits_beyond(d, type));
    else
        put_number(value, type->size, aper_read_fixed_bits(&d->in, (unsigned)type->upper));
}

static void bits_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    if (type->extensible)
        aper_write_bits(out, 0, 1);
    aper_write_fixed_bits(out, get_number(value, type->size), (unsigned)type->upper);
}

const struct aper_ops aper_bits = {"BIT STRING", bits_decode, bits_encode, hex_print};

static void octets_number_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    put_number(value, type->size, aper_read_fixed_octets(&d->in, (unsigned)type->upper));
}

static void octets_number_encode(struct aper_writer *out, const struct aper_type *type,
                                 const void *value)
{
    aper_write_fixed_octets(out, get_number(value, type->size), (unsigned)type->upper);
}

const struct aper_ops aper_octets_number = {"OCTET STRING", octets_number_decode,
                                            octets_number_encode, hex_print};

static void octets_fixed_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    struct bytes b = aper_read_octets(&d->in, type->upper, type->upper, false);

    if (b.len == type->upper)
        memcpy(value, b.at, b.len);
}

static void octets_fixed_encode(struct aper_writer *out, const struct aper_type *type,
                                const void *value)
{
    aper_write_octets(out, bytes_of(value, type->size), type->upper, type->upper, false);
}

static void octets_fixed_print(struct text *t, const struct aper_type *type, const void *value)
{
    text_hex(t, bytes_of(value, type->size));
}

const struct aper_ops aper_octets_fixed = {"OCTET STRING", octets_fixed_decode, octets_fixed_encode,
                                           octets_fixed_print};

static void bits_fixed_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    size_t bits;
    struct bytes b = aper_read_bit_string(&d->in, type->upper, type->upper, false, &bits);

    if (bits == type->upper)
        memcpy(value, b.at, b.len);
}

static void bits_fixed_encode(struct aper_writer *out, const struct aper_type *type,
                              const void *value)
{
    aper_write_bit_string(out, value, type->upper, type->upper, type->upper, false);
}

const struct aper_ops aper_bits_fixed = {"BIT STRING", bits_fixed_decode, bits_fixed_encode,
                                         octets_fixed_print};

/* ---- OCTET STRING and PrintableString (clauses 16, 27) ----
 *
 * The characters of a PrintableString take 8 bits each in the ALIGNED variant and stand for
 * themselves, so on the wire it is an OCTET STRING. Its alphabet is not enforced: eNodeBs with an
 * underscore in their name are common. */

static void octet_string_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    *(struct bytes *)value = aper_read_octets(&d->in, type->lower, type->upper, type->extensible);
}

static void octet_string_encode(struct aper_writer *out, const struct aper_type *type,
                                const void *value)
{
    aper_write_octets(out, *(const struct bytes *)value, type->lower, type->upper,
                      type->extensible);
}

/* A trace line wants to be a line: long strings are told by their length. */
static void octet_string_print(struct text *t, const struct aper_type *type, const void *value)
{
    const struct bytes *b = value;

    (void)type;
    if (b->len > 20)
        text_add(t, "[%zu octets]", b->len);
    else
        text_hex(t, *b);
}

const struct aper_ops aper_octet_string = {"OCTET STRING", octet_string_decode, octet_string_encode,
                                           octet_string_print};

static void printable_print(struct text *t, const struct aper_type *type, const void *value)
{
    (void)type;
    text_add(t, "\"");
    text_escaped(t, *(const struct bytes *)value);
    text_add(t, "\"");
}

const struct aper_ops aper_printable = {"PrintableString", octet_string_decode, octet_string_encode,
                                        printable_print};

/* ---- an open type's content as it is ---- */

static void opaque_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    (void)type;
    if (rd_left(&d->in.r) == 0) /* the shortest encoding has one octet */
        rd_fail(&d->in.r);
    *(struct bytes *)value = rd_rest(&d->in.r);
}

static void opaque_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    const struct bytes *b = value;

    (void)type;
    if (b->len == 0)
        aper_refuse(out);
    wr_view_of(out->w, *b);
}

const struct aper_ops aper_opaque = {"open type", opaque_decode, opaque_encode, octet_string_print};

/* ---- SEQUENCE OF (clause 19) ---- */

static void sequence_of_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    aper_list *list = value;
    size_t count = aper_read_count(&d->in, type->lower, type->upper);

    if (count == 0)
        return;
    uint8_t *at = arena_array(d->in.arena, count, type->element->size);
    if (!at) {
        d->in.no_memory = true;
        rd_fail(&d->in.r);
        return;
    }
    list->at = at;
    for (list->count = 0; list->count < count && !d->in.r.bad; list->count++)
        aper_decode(d, type->element, at + list->count * type->element->size);
}

static void sequence_of_encode(struct aper_writer *out, const struct aper_type *type,
                               const void *value)
{
    const aper_list *list = value;
    const uint8_t *at = list->at;

    aper_write_number(out, list->count, type->lower, type->upper);
    for (size_t i = 0; i < list->count && !out->w->bad; i++)
        aper_encode(out, type->element, at + i * type->element->size);
}

void aper_print_list(struct text *t, const struct aper_type *element, const aper_list *list)
{
    const uint8_t *at = list->at;

    text_add(t, "[");
    for (size_t i = 0; i < list->count && !t->cut; i++) {
        if (i > 0)
            text_add(t, " ");
        aper_print(t, element, at + i * element->size);
    }
    text_add(t, "]");
}

static void sequence_of_print(struct text *t, const struct aper_type *type, const void *value)
{
    aper_print_list(t, type->element, value);
}

const struct aper_ops aper_sequence_of = {"SEQUENCE OF", sequence_of_decode, sequence_of_encode,
                                          sequence_of_print};

/* ---- CHOICE (clause 22) ---- */

static void choice_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    uint64_t index;

    if (type->extensible && aper_read_bits(&d->in, 1)) {
        index = type->root + aper_read_small(&d->in);
        struct bytes content = aper_read_open(&d->in);
        if (d->in.r.bad || index > UINT16_MAX) {
            rd_fail(&d->in.r);
            return;
        }
        *(uint32_t *)value = (uint32_t)index;
        if (index >= type->count) {
            d->not_understood = true;
            return;
        }
        struct aper_reader outer = d->in;
        d->in = aper_reader_of(content, outer.arena);
        aper_decode(d, type->fields[index].type, (uint8_t *)value + type->fields[index].offset);
        outer.no_memory |= d->in.no_memory;
        rd_join(&outer.r, &d->in.r);
        d->in = outer;
        return;
    }
    index = aper_read_number(&d->in, 0, type->root - 1u);
    if (d->in.r.bad)
        return;
    *(uint32_t *)value = (uint32_t)index;
    aper_decode(d, type->fields[index].type, (uint8_t *)value + type->fields[index].offset);
}

static void choice_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    uint32_t index = *(const uint32_t *)value;

    if (index >= type->count) {
        aper_refuse(out);
        return;
    }
    const struct aper_field *field = &type->fields[index];
    const void *chosen = (const uint8_t *)value + field->offset;
    if (type->extensible)
        aper_write_bits(out, index >= type->root, 1);
    if (index < type->root) {
        aper_write_number(out, index, 0, type->root - 1u);
        aper_encode(out, field->type, chosen);
        return;
    }
    aper_write_small(out, index - type->root);
    size_t opened = aper_write_open(out);
    aper_encode(out, field->type, chosen);
    aper_write_close(out, opened);
}

static void choice_print(struct text *t, const struct aper_type *type, const void *value)
{
    uint32_t index = *(const uint32_t *)value;

    if (index >= type->count) {
        text_add(t, "unknown-%u", index);
        return;
    }
    text_add(t, "%s:", type->fields[index].name);
    aper_print(t, type->fields[index].type, (const uint8_t *)value + type->fields[index].offset);
}

const struct aper_ops aper_choice = {"CHOICE", choice_decode, choice_encode, choice_print};

void aper_print(struct text *t, const struct aper_type *type, const void *value)
{
    if (type->secret)
        text_add(t, "(secret)");
    else
        type->ops->print(t, type, value);
}
