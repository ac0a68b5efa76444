/*
 * tlv.c -- the walker behind the message tables; tlv.h tells the idea.
 *
 * Decoding goes once over the received elements and finds each one's row, starting behind the row
 * found last: senders mostly keep the table's order, so the search is short. A list is counted when
 * its first element is met and then filled.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "wire/tlv.h"

#define MAX_DEPTH 8

/* LIST_OF() without its type. */
struct any_list {
    void *at;
    size_t count;
};

static void note_fault(struct wire_context *context, enum wire_fault_kind kind,
                       const struct tlv *element, const struct wire_ie *row)
{
    struct wire_fault *fault = &context->fault;

    if (fault->kind != WIRE_FAULT_NONE)
        return;
    fault->kind = kind;
    fault->id = row ? row->id : element->id;
    fault->vendor = row ? row->vendor : element->vendor;
    fault->instance = row ? row->instance : element->instance;
    if (element)
        fault->whole = element->whole;
}

static bool matches(const struct wire_ie *row, const struct tlv *element)
{
    return row->id == element->id && row->instance == element->instance &&
           row->vendor == element->vendor;
}

static const struct wire_ie *find_row(const struct wire_group *group, const struct tlv *element,
                                      size_t *hint)
{
    for (size_t n = 0; n < group->count; n++) {
        size_t i = *hint + n < group->count ? *hint + n : *hint + n - group->count;
        if (matches(&group->rows[i], element)) {
            *hint = i;
            return &group->rows[i];
        }
    }
    return NULL;
}

/* How many elements of this row follow, the first being `element` already taken. */
static size_t count_same(const struct wire_group *group, struct reader r, const struct wire_ie *row)
{
    size_t n = 1;

    while (rd_left(&r) > 0 && n < row->max) {
        struct tlv next = {0};
        if (!group->format->take(&r, &next))
            break;
        n += matches(row, &next);
    }
    return n;
}

/* Where the next value of a list goes; NULL when the list is full or memory is out. */
static void *list_slot(const struct wire_group *group, const struct reader *r,
                       const struct wire_ie *row, struct any_list *list,
                       struct wire_context *context, const struct tlv *element)
{
    if (list->count >= row->max) {
        if (group->format->counts_are_strict && !context->lenient)
            note_fault(context, WIRE_FAULT_TOO_MANY, element, row);
        return NULL;
    }
    if (!list->at) {
        list->at = arena_array(context->arena, count_same(group, *r, row), row->type->size);
        if (!list->at) {
            note_fault(context, WIRE_FAULT_NO_MEMORY, element, row);
            return NULL;
        }
    }
    return (uint8_t *)list->at + list->count * row->type->size;
}

/* Decodes one value; false when it is broken. */
static bool decode_value(const struct wire_ie *row, const struct tlv *element, void *value,
                         struct wire_context *context)
{
    struct reader inner = reader_of_bytes(element->value);

    row->type->decode(row->type, &inner, value, context);
    return !inner.bad;
}

static void decode_element(const struct wire_group *group, const struct reader *r,
                           const struct wire_ie *row, size_t row_index, uint64_t *seen,
                           const struct tlv *element, void *message, struct wire_context *context)
{
    uint8_t *field = (uint8_t *)message + row->offset;
    bool is_list = row->presence == WIRE_LIST || row->presence == WIRE_LIST_MANDATORY;
    bool again = *seen & (UINT64_C(1) << row_index);
    void *value = field;

    if (again && !is_list) {
        if (group->format->counts_are_strict && !context->lenient)
            note_fault(context, WIRE_FAULT_TOO_MANY, element, row);
        return;
    }
    if (is_list) {
        value = list_slot(group, r, row, (struct any_list *)(void *)field, context, element);
        if (!value)
            return;
    } else if (row->presence == WIRE_OPTIONAL) {
        value = arena_alloc(context->arena, row->type->size);
        if (!value) {
            note_fault(context, WIRE_FAULT_NO_MEMORY, element, row);
            return;
        }
    }
    struct wire_fault before = context->fault;
    if (!decode_value(row, element, value, context)) {
        if (row->presence == WIRE_OPTIONAL && group->format->optional_may_be_broken) {
            /* what a grouped element noted about its inside goes with it */
            context->fault = before;
            return;
        }
        note_fault(context, WIRE_FAULT_VALUE, element, row);
        *seen |= UINT64_C(1) << row_index; /* there, though broken: not missing as well */
        return;
    }
    *seen |= UINT64_C(1) << row_index;
    if (is_list)
        ((struct any_list *)(void *)field)->count++;
    else if (row->presence == WIRE_OPTIONAL)
        memcpy(field, &value, sizeof(value));
}

int tlv_decode(const struct wire_group *group, struct reader *r, void *message,
               struct wire_context *context)
{
    uint64_t seen = 0;
    size_t hint = 0;

    memset(message, 0, group->size);
    while (rd_left(r) > 0) {
        struct tlv element = {0};
        if (!group->format->take(r, &element)) {
            note_fault(context, WIRE_FAULT_LENGTH, &element, NULL);
            break;
        }
        const struct wire_ie *row = find_row(group, &element, &hint);
        if (row)
            decode_element(group, r, row, hint, &seen, &element, message, context);
        else if (!context->lenient && group->format->must_understand &&
                 group->format->must_understand(&element))
            note_fault(context, WIRE_FAULT_UNKNOWN, &element, NULL);
    }
    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        bool needed = row->presence == WIRE_MANDATORY || row->presence == WIRE_LIST_MANDATORY;
        if (needed && !(seen & (UINT64_C(1) << i)))
            note_fault(context, WIRE_FAULT_MISSING, NULL, row);
    }
    if (context->fault.kind == WIRE_FAULT_NONE)
        return 0;
    return context->fault.kind == WIRE_FAULT_NO_MEMORY ? -ENOMEM : -EBADMSG;
}

/* The values of a row that are there: where the first lies, and how many. */
static struct any_list present(const struct wire_ie *row, const void *message)
{
    const uint8_t *field = (const uint8_t *)message + row->offset;
    struct any_list values = {(void *)(uintptr_t)field, 1};

    if (row->presence == WIRE_OPTIONAL) {
        memcpy(&values.at, field, sizeof(values.at));
        values.count = values.at != NULL;
    } else if (row->presence != WIRE_MANDATORY) {
        memcpy(&values, field, sizeof(values));
    }
    return values;
}

void tlv_encode(const struct wire_group *group, struct writer *w, const void *message)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        struct any_list values = present(row, message);
        for (size_t n = 0; n < values.count; n++) {
            size_t opened = group->format->open(w, row);
            row->type->encode(row->type, w, (const uint8_t *)values.at + n * row->type->size);
            group->format->close(w, opened);
        }
    }
}

void tlv_print(const struct wire_group *group, struct text *t, const void *message)
{
    const char *between = "";

    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        struct any_list values = present(row, message);
        for (size_t n = 0; n < values.count; n++) {
            text_add(t, "%s%s=", between, row->name);
            row->type->print(row->type, t, (const uint8_t *)values.at + n * row->type->size);
            between = " ";
        }
    }
}

void wire_group_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context)
{
    if (context->depth >= MAX_DEPTH) {
        rd_fail(r);
        return;
    }
    context->depth++;
    struct wire_fault before = context->fault;
    context->fault = (struct wire_fault){0};
    if (tlv_decode(type->group, r, value, context) < 0)
        rd_fail(r);
    if (before.kind != WIRE_FAULT_NONE || !r->bad)
        context->fault = before;
    context->depth--;
}

void wire_group_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    tlv_encode(type->group, w, value);
}

void wire_group_print(const struct wire_type *type, struct text *t, const void *value)
{
    text_add(t, "{");
    tlv_print(type->group, t, value);
    text_add(t, "}");
}

/* Numbers: one set of functions for all widths; the C value's width is the type's size. */
static uint64_t load_number(const struct wire_type *type, const void *value)
{
    switch (type->size) {
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

static size_t number_width(const struct wire_type *type)
{
    return type == &wire_u24 ? 3 : type->size;
}

static void number_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    uint64_t v = rd_uint(r, number_width(type));

    (void)context;
    switch (type->size) {
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
        break;
    }
}

static void number_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    wr_uint(w, load_number(type, value), number_width(type));
}

static void number_print(const struct wire_type *type, struct text *t, const void *value)
{
    text_add(t, "%llu", (unsigned long long)load_number(type, value));
}

const struct wire_type wire_u8 = {"u8", 1, number_decode, number_encode, number_print, NULL, NULL};
const struct wire_type wire_u16 = {"u16",        2,    number_decode, number_encode,
                                   number_print, NULL, NULL};
const struct wire_type wire_u24 = {"u24",        4,    number_decode, number_encode,
                                   number_print, NULL, NULL};
const struct wire_type wire_u32 = {"u32",        4,    number_decode, number_encode,
                                   number_print, NULL, NULL};
const struct wire_type wire_u64 = {"u64",        8,    number_decode, number_encode,
                                   number_print, NULL, NULL};

static void bytes_decode(const struct wire_type *type, struct reader *r, void *value,
                         struct wire_context *context)
{
    (void)type;
    (void)context;
    *(struct bytes *)value = rd_rest(r);
}

static void bytes_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_view_of(w, *(const struct bytes *)value);
}

static void bytes_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_hex(t, *(const struct bytes *)value);
}

static void ascii_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_escaped(t, *(const struct bytes *)value);
}

const struct wire_type wire_bytes = {.name = "bytes",
                                     .size = sizeof(struct bytes),
                                     .decode = bytes_decode,
                                     .encode = bytes_encode,
                                     .print = bytes_print};
const struct wire_type wire_ascii = {.name = "text",
                                     .size = sizeof(struct bytes),
                                     .decode = bytes_decode,
                                     .encode = bytes_encode,
                                     .print = ascii_print};

/* Addresses are kept in network byte order, as in_addr and in6_addr have it. */
static void address_decode(const struct wire_type *type, struct reader *r, void *value,
                           struct wire_context *context)
{
    (void)context;
    rd_bytes(r, value, type->size);
}

static void address_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    wr_bytes(w, value, type->size);
}

static void address_print(const struct wire_type *type, struct text *t, const void *value)
{
    char printed[INET6_ADDRSTRLEN];
    int family = type->size == sizeof(struct in_addr) ? AF_INET : AF_INET6;

    text_add(t, "%s", inet_ntop(family, value, printed, sizeof(printed)));
}

const struct wire_type wire_ipv4 = {.name = "ipv4",
                                    .size = sizeof(struct in_addr),
                                    .decode = address_decode,
                                    .encode = address_encode,
                                    .print = address_print};
const struct wire_type wire_ipv6 = {.name = "ipv6",
                                    .size = sizeof(struct in6_addr),
                                    .decode = address_decode,
                                    .encode = address_encode,
                                    .print = address_print};

static void flag_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    (void)type;
    (void)r;
    (void)context;
    *(bool *)value = true;
}

static void flag_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    (void)w;
    (void)value;
}

static void flag_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    (void)value;
    text_add(t, "yes");
}

const struct wire_type wire_flag = {.name = "flag",
                                    .size = sizeof(bool),
                                    .decode = flag_decode,
                                    .encode = flag_encode,
                                    .print = flag_print};
