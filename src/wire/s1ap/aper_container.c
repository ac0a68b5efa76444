/*
 * aper_container.c -- SEQUENCE and the containers of IEs: where messages grow from release to
 * release.
 *
 * A protocol-IE container (TS 36.413 clause 9.3.7) is a list of {id, criticality, open type}. A
 * receiver can pass over an IE it does not know, and the criticality that came with the IE says
 * whether it may. The same form is used in three places: all IEs of a message; iE-Extensions at the
 * end of nearly every SEQUENCE (there the IEs that later releases added); and around each item of
 * the lists of E-RABs, TAIs and the like
 * ("single container").
 *
 * Rules of order (clause 10.3.6): the IEs of a container come in the order of the specification,
 * each at most once. What is out of order or repeated makes the message "falsely constructed"; it
 * is noted here and judged in report.c. A repeated IE does not replace the first.
 */
#include "wire/s1ap/aper_type.h"

static void add_fault(struct aper_decoder *d, uint64_t id, uint64_t criticality, bool missing)
{
    if (d->fault_count == APER_MAX_FAULTS)
        return;
    if (d->fault_count == d->fault_room) {
        size_t room = d->fault_room == 0 ? 8 : d->fault_room * 2;
        struct aper_fault *more = arena_array(d->in.arena, room, sizeof(*more));
        if (!more) {
            d->in.no_memory = true;
            rd_fail(&d->in.r);
            return;
        }
        if (d->fault_count > 0)
            memcpy(more, d->faults, d->fault_count * sizeof(*more));
        d->faults = more;
        d->fault_room = room;
    }
    d->faults[d->fault_count++] = (struct aper_fault){(uint16_t)id, (uint8_t)criticality, missing};
}

/* Decodes one value from an open type. True if all of it could be read and was understood. */
static bool decode_inside(struct aper_decoder *d, struct bytes content,
                          const struct aper_type *type, void *value)
{
    struct aper_reader outer = d->in;
    bool outer_not_understood = d->not_understood;

    d->in = aper_reader_of(content, outer.arena);
    d->not_understood = false;
    aper_decode(d, type, value);
    bool understood = !d->not_understood;
    outer.no_memory |= d->in.no_memory;
    rd_join(&outer.r, &d->in.r);
    d->in = outer;
    d->not_understood = outer_not_understood;
    return understood && !d->in.r.bad;
}

/* The value of a row; true if it is there now. */
static bool decode_row(struct aper_decoder *d, const struct aper_row *row, struct bytes content,
                       void *body)
{
    uint8_t *place = (uint8_t *)body + row->offset;

    if (row->presence == APER_MANDATORY)
        return decode_inside(d, content, row->type, place);
    if (row->presence == APER_OPTIONAL_LIST) {
        if (decode_inside(d, content, row->type, place))
            return true;
        *(aper_list *)place = (aper_list){NULL, 0};
        return false;
    }
    void *value = arena_alloc(d->in.arena, row->type->size);
    if (!value) {
        d->in.no_memory = true;
        rd_fail(&d->in.r);
        return false;
    }
    if (!decode_inside(d, content, row->type, value))
        return false;
    *(void **)place = value;
    return true;
}

struct ie {
    uint16_t id;
    uint8_t criticality;
    struct bytes content;
};

/* ProtocolIE-Field and ProtocolExtensionField. */
static bool take_ie(struct aper_decoder *d, struct ie *ie)
{
    aper_read_align(&d->in);
    ie->id = rd_u16(&d->in.r);
    ie->criticality = (uint8_t)aper_read_number(&d->in, 0, 2);
    ie->content = aper_read_open(&d->in);
    return !d->in.r.bad;
}

/* The index of the row with this id, looked for where it should be first; container->count if none.
 */
static unsigned find_row(const struct aper_container *container, uint16_t id, unsigned expected)
{
    for (unsigned i = expected; i < container->count; i++)
        if (container->rows[i].id == id)
            return i;
    for (unsigned i = 0; i < expected; i++)
        if (container->rows[i].id == id)
            return i;
    return container->count;
}

/* True if they were in order, none twice. */
static bool decode_ies(struct aper_decoder *d, const struct aper_container *container, size_t count,
                       void *body, uint64_t *lacking)
{
    bool ordered = true;
    uint64_t seen = 0, good = 0;
    unsigned expected = 0;
    struct ie ie;

    while (count-- > 0 && take_ie(d, &ie)) {
        unsigned at = find_row(container, ie.id, expected);
        if (at == container->count) {
            add_fault(d, ie.id, ie.criticality, false);
            continue;
        }
        if (at < expected)
            ordered = false;
        else
            expected = at + 1;
        if (seen & 1ull << at)
            continue;
        seen |= 1ull << at;
        if (decode_row(d, &container->rows[at], ie.content, body))
            good |= 1ull << at;
        else if (!d->in.r.bad)
            add_fault(d, ie.id, ie.criticality, false);
    }
    for (unsigned i = 0; i < container->count; i++) {
        const struct aper_row *row = &container->rows[i];
        if (row->presence != APER_MANDATORY || good & 1ull << i)
            continue;
        *lacking |= 1ull << i;
        if (!(seen & 1ull << i) && !d->in.r.bad)
            add_fault(d, row->id, row->criticality, true);
    }
    return ordered;
}

void aper_decode_container(struct aper_decoder *d, const struct aper_container *container,
                           void *body, uint64_t *lacking)
{
    *lacking = 0;
    size_t count = (size_t)aper_read_number(&d->in, 0, 65535);
    if (!decode_ies(d, container, count, body, lacking))
        d->disordered = true;
}

const void *aper_row_value(const struct aper_row *row, const void *body)
{
    const void *place = (const uint8_t *)body + row->offset;

    if (row->presence == APER_OPTIONAL)
        return *(void *const *)place;
    if (row->presence == APER_OPTIONAL_LIST)
        return ((const aper_list *)place)->count > 0 ? place : NULL;
    return place;
}

static void encode_ie(struct aper_writer *out, const struct aper_row *row, const void *value)
{
    aper_write_align(out);
    wr_u16(out->w, row->id);
    aper_write_bits(out, row->criticality, 2);
    size_t opened = aper_write_open(out);
    aper_encode(out, row->type, value);
    aper_write_close(out, opened);
}

static void encode_ies(struct aper_writer *out, const struct aper_container *container,
                       const void *body, uint64_t least)
{
    uint64_t count = 0;

    aper_write_align(out);
    size_t counted = wr_len(out->w);
    wr_u16(out->w, 0);
    for (unsigned i = 0; i < container->count && !out->w->bad; i++) {
        const void *value = aper_row_value(&container->rows[i], body);
        if (!value)
            continue;
        encode_ie(out, &container->rows[i], value);
        count++;
    }
    if (!out->w->bad)
        wr_patch_u16(out->w, counted, (uint16_t)(count - least));
}

void aper_encode_container(struct aper_writer *out, const struct aper_container *container,
                           const void *body)
{
    encode_ies(out, container, body, 0);
}

static void print_name(struct text *t, const char *name)
{
    bool first = t->len == 0 || t->at[t->len - 1] == '{';

    text_add(t, "%s%s=", first ? "" : " ", name);
}

void aper_print_container(struct text *t, const struct aper_container *container, const void *body)
{
    for (unsigned i = 0; i < container->count && !t->cut; i++) {
        const struct aper_row *row = &container->rows[i];
        const void *value = aper_row_value(row, body);
        if (!value)
            continue;
        print_name(t, row->name);
        aper_print(t, row->type, value);
    }
}

/* ---- SEQUENCE (clause 18) ----
 *
 * A bit for "extended" if there is a "...", a bit for each optional component (iE-Extensions is the
 * last), the components, and if extended the additions, which no release of S1AP has used so far:
 * they use iE-Extensions. */

static bool is_optional(const struct aper_field *field)
{
    return field->presence != APER_MANDATORY;
}

static void decode_extensions(struct aper_decoder *d, const struct aper_container *extensions,
                              void *value)
{
    uint64_t lacking = 0;

    (void)decode_ies(d, extensions, (size_t)aper_read_number(&d->in, 1, 65535), value, &lacking);
}

static void decode_optional(struct aper_decoder *d, const struct aper_field *field, uint8_t *place)
{
    if (field->presence == APER_OPTIONAL_LIST) {
        aper_decode(d, field->type, place);
        return;
    }
    void *value = arena_alloc(d->in.arena, field->type->size);
    if (!value) {
        d->in.no_memory = true;
        rd_fail(&d->in.r);
        return;
    }
    aper_decode(d, field->type, value);
    *(void **)place = value;
}

static void sequence_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    bool extended = type->extensible && aper_read_bits(&d->in, 1);
    uint32_t present = 0; /* a bit for each field, by index */

    for (unsigned i = 0; i < type->count; i++)
        if (is_optional(&type->fields[i]) && aper_read_bits(&d->in, 1))
            present |= 1u << i;
    bool extensions = type->extensions && aper_read_bits(&d->in, 1);

    for (unsigned i = 0; i < type->count && !d->in.r.bad; i++) {
        const struct aper_field *field = &type->fields[i];
        uint8_t *place = (uint8_t *)value + field->offset;
        if (!is_optional(field))
            aper_decode(d, field->type, place);
        else if (present & 1u << i)
            decode_optional(d, field, place);
    }
    if (extensions)
        decode_extensions(d, type->extensions, value);
    if (extended)
        aper_skip_additions(&d->in);
}

/* A field is found in the value as a row is in a message. */
static const void *field_value(const struct aper_field *field, const void *value)
{
    struct aper_row row = {.offset = field->offset, .presence = field->presence};

    return aper_row_value(&row, value);
}

static bool any_present(const struct aper_container *container, const void *value)
{
    for (unsigned i = 0; i < container->count; i++)
        if (aper_row_value(&container->rows[i], value))
            return true;
    return false;
}

static void sequence_encode(struct aper_writer *out, const struct aper_type *type,
                            const void *value)
{
    bool extensions = type->extensions && any_present(type->extensions, value);

    if (type->extensible)
        aper_write_bits(out, 0, 1);
    for (unsigned i = 0; i < type->count; i++)
        if (is_optional(&type->fields[i]))
            aper_write_bits(out, field_value(&type->fields[i], value) != NULL, 1);
    if (type->extensions)
        aper_write_bits(out, extensions, 1);
    for (unsigned i = 0; i < type->count && !out->w->bad; i++) {
        const void *part = field_value(&type->fields[i], value);
        if (part)
            aper_encode(out, type->fields[i].type, part);
    }
    if (extensions)
        encode_ies(out, type->extensions, value, 1);
}

static void sequence_print(struct text *t, const struct aper_type *type, const void *value)
{
    text_add(t, "{");
    for (unsigned i = 0; i < type->count && !t->cut; i++) {
        const void *part = field_value(&type->fields[i], value);
        if (!part)
            continue;
        print_name(t, type->fields[i].name);
        aper_print(t, type->fields[i].type, part);
    }
    if (type->extensions)
        aper_print_container(t, type->extensions, value);
    text_add(t, "}");
}

const struct aper_ops aper_sequence = {"SEQUENCE", sequence_decode, sequence_encode,
                                       sequence_print};

/* ---- a single container, and lists of them ---- */

/* True if the item was of the known kind and understood. */
static bool decode_item(struct aper_decoder *d, const struct aper_row *item, void *value)
{
    struct ie ie;

    if (!take_ie(d, &ie))
        return false;
    if (ie.id == item->id && decode_inside(d, ie.content, item->type, value))
        return true;
    if (!d->in.r.bad)
        add_fault(d, ie.id, ie.criticality, false);
    return false;
}

static void single_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    (void)decode_item(d, type->item, value);
}

static void single_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    encode_ie(out, type->item, value);
}

static void single_print(struct text *t, const struct aper_type *type, const void *value)
{
    aper_print(t, type->item->type, value);
}

const struct aper_ops aper_single = {"single container", single_decode, single_encode,
                                     single_print};

static void container_list_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    aper_list *list = value;
    size_t size = type->item->type->size;
    size_t count = aper_read_count(&d->in, type->lower, type->upper);

    if (count == 0)
        return;
    uint8_t *at = arena_array(d->in.arena, count, size);
    if (!at) {
        d->in.no_memory = true;
        rd_fail(&d->in.r);
        return;
    }
    list->at = at;
    for (size_t i = 0; i < count && !d->in.r.bad; i++) {
        if (decode_item(d, type->item, at + list->count * size))
            list->count++;
        else
            memset(at + list->count * size, 0, size);
    }
}

static void container_list_encode(struct aper_writer *out, const struct aper_type *type,
                                  const void *value)
{
    const aper_list *list = value;
    const uint8_t *at = list->at;

    aper_write_number(out, list->count, type->lower, type->upper);
    for (size_t i = 0; i < list->count && !out->w->bad; i++)
        encode_ie(out, type->item, at + i * type->item->type->size);
}

static void container_list_print(struct text *t, const struct aper_type *type, const void *value)
{
    aper_print_list(t, type->item->type, value);
}

const struct aper_ops aper_container_list = {"SEQUENCE OF single container", container_list_decode,
                                             container_list_encode, container_list_print};
