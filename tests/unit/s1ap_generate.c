/*
 * s1ap_generate.c -- see s1ap_generate.h.
 */
#include "s1ap_generate.h"

static uint64_t next_random(struct s1ap_generator *g)
{
    g->state ^= g->state << 13; /* xorshift64 */
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return g->state;
}

/* Bounds are more likely than what lies between: that is where mistakes are. */
uint64_t s1ap_generate_number(struct s1ap_generator *g, uint64_t lower, uint64_t upper)
{
    uint64_t choice = next_random(g) % 8;

    if (choice == 0)
        return lower;
    if (choice == 1)
        return upper;
    uint64_t span = upper - lower;
    uint64_t v = next_random(g) >> next_random(g) % 64; /* all magnitudes */
    return span == UINT64_MAX ? v : lower + v % (span + 1);
}

static bool chance(struct s1ap_generator *g, unsigned of_eight)
{
    return next_random(g) % 8 < of_eight;
}

static void put(void *value, size_t size, uint64_t v)
{
    memcpy(value, &v, size); /* little endian, as all machines we build for */
}

static struct bytes random_bytes(struct s1ap_generator *g, size_t len)
{
    uint8_t *at = arena_alloc(g->arena, len > 0 ? len : 1);

    for (size_t i = 0; at && i < len; i++)
        at[i] = (uint8_t)next_random(g);
    return bytes_of(at, at ? len : 0);
}

static size_t random_length(struct s1ap_generator *g, const struct aper_type *type)
{
    uint64_t upper = type->upper;

    if (type->extensible && !g->plain && chance(g, 1))
        return type->upper + 1 + next_random(g) % 200;
    if (g->long_strings && upper > 100000 && chance(g, 1))
        return 16000 + next_random(g) % 80000;
    if (upper > type->lower + 300)
        upper = type->lower + 300;
    return s1ap_generate_number(g, type->lower, upper);
}

static void make_integer(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    uint64_t v = s1ap_generate_number(g, type->lower, type->upper);

    if (type->extensible && !g->plain && chance(g, 1))
        v = type->upper + 1 + next_random(g) % 50;
    put(value, type->size, v);
}

static void make_enumerated(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    put(value, type->size, s1ap_generate_number(g, 0, (g->plain ? type->root : type->count) - 1u));
}

static void make_number(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    unsigned bits = (unsigned)type->upper * (type->ops == &aper_octets_number ? 8 : 1);

    put(value, type->size,
        s1ap_generate_number(g, 0, bits == 64 ? UINT64_MAX : (1ull << bits) - 1));
}

static void make_fixed(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    struct bytes b = random_bytes(g, type->size);

    if (b.at)
        memcpy(value, b.at, b.len);
}

static void make_string(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    *(struct bytes *)value = random_bytes(g, random_length(g, type));
}

static void make_printable(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    static const char alphabet[] = "ABCXYZabcxyz0189 '()+,-./:=?";
    struct bytes b = random_bytes(g, random_length(g, type));

    for (size_t i = 0; i < b.len; i++)
        ((uint8_t *)b.at)[i] = (uint8_t)alphabet[b.at[i] % (sizeof(alphabet) - 1)];
    *(struct bytes *)value = b;
}

static void make_octets_pointer(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    struct bytes *b = arena_alloc(g->arena, sizeof(*b));

    if (b)
        *b = random_bytes(g, random_length(g, type));
    *(struct bytes **)value = b;
}

static void make_opaque(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    (void)type;
    *(struct bytes *)value = random_bytes(g, 1 + next_random(g) % 200);
}

static void make_plmn(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    struct plmn *plmn = value;

    (void)type;
    plmn->mnc_digits = 2 + next_random(g) % 2;
    plmn->mcc = (uint16_t)s1ap_generate_number(g, 0, 999);
    plmn->mnc = (uint16_t)s1ap_generate_number(g, 0, plmn->mnc_digits == 2 ? 99 : 999);
}

static void make_imsi(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    size_t digits = s1ap_generate_number(g, 6, 15);

    (void)type;
    for (size_t i = 0; i < digits; i++)
        ((char *)value)[i] = (char)('0' + next_random(g) % 10);
    ((char *)value)[digits] = '\0';
}

static void make_address(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    static const size_t lengths[] = {4, 16, 20};

    (void)type;
    *(struct bytes *)value = random_bytes(g, lengths[next_random(g) % 3]);
}

static void make_gnb_id(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    struct s1ap_gnb_id *gnb = value;

    gnb->bits = (uint8_t)s1ap_generate_number(g, type->lower, type->upper);
    gnb->id = (uint32_t)s1ap_generate_number(g, 0, UINT32_MAX >> (32 - gnb->bits));
}

static void make_bit_string(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    struct s1ap_bit_string *string = value;
    size_t bits = random_length(g, type);
    struct bytes b = random_bytes(g, (bits + 7) / 8);

    if (bits % 8 != 0 && b.at)
        ((uint8_t *)b.at)[b.len - 1] &= (uint8_t)(0xff << (8 - bits % 8));
    *string = (struct s1ap_bit_string){b.at, (uint32_t)bits};
}

/* ---- what is made of parts ---- */

static void make_part(struct s1ap_generator *g, const struct aper_type *type, unsigned presence,
                      void *place)
{
    if (presence != APER_MANDATORY &&
        (!chance(g, g->few) || (g->plain && type->ops == &aper_opaque)))
        return;
    if (presence != APER_OPTIONAL) {
        s1ap_generate_value(g, type, place);
        return;
    }
    void *value = arena_alloc(g->arena, type->size);
    if (value)
        s1ap_generate_value(g, type, value);
    *(void **)place = value;
}

static void make_rows(struct s1ap_generator *g, const struct aper_container *container, void *body)
{
    for (unsigned i = 0; i < container->count; i++)
        make_part(g, container->rows[i].type, container->rows[i].presence,
                  (uint8_t *)body + container->rows[i].offset);
}

static void make_sequence(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    for (unsigned i = 0; i < type->count; i++)
        make_part(g, type->fields[i].type, type->fields[i].presence,
                  (uint8_t *)value + type->fields[i].offset);
    if (type->extensions)
        make_rows(g, type->extensions, value);
}

static void make_choice(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    unsigned root = g->plain ? type->root : type->count;
    unsigned index = (unsigned)(next_random(g) % root);

    *(uint32_t *)value = index;
    s1ap_generate_value(g, type->fields[index].type, (uint8_t *)value + type->fields[index].offset);
}

static void make_list(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    const struct aper_type *element =
        type->ops == &aper_sequence_of ? type->element : type->item->type;
    uint64_t most = type->upper < 4 ? type->upper : 4;
    size_t count = s1ap_generate_number(g, type->lower, most);
    aper_list *list = value;

    if (g->long_strings && chance(g, 1) && chance(g, 1)) /* a full list now and then */
        count = type->upper < 300 ? type->upper : 300;
    uint8_t *at = arena_array(g->arena, count, element->size);
    if (!at)
        return;
    for (size_t i = 0; i < count; i++)
        s1ap_generate_value(g, element, at + i * element->size);
    *list = (aper_list){count > 0 ? at : NULL, count};
}

static void make_single(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    s1ap_generate_value(g, type->item->type, value);
}

static void make_null(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    (void)g, (void)type, (void)value;
}

void s1ap_generate_value(struct s1ap_generator *g, const struct aper_type *type, void *value)
{
    static const struct {
        const struct aper_ops *ops;
        void (*make)(struct s1ap_generator *g, const struct aper_type *type, void *value);
    } makers[] = {
        {&aper_integer, make_integer},
        {&aper_enumerated, make_enumerated},
        {&aper_null, make_null},
        {&aper_bits, make_number},
        {&aper_octets_number, make_number},
        {&aper_octets_fixed, make_fixed},
        {&aper_bits_fixed, make_fixed},
        {&aper_octet_string, make_string},
        {&aper_printable, make_printable},
        {&aper_opaque, make_opaque},
        {&aper_sequence, make_sequence},
        {&aper_choice, make_choice},
        {&aper_sequence_of, make_list},
        {&aper_container_list, make_list},
        {&aper_single, make_single},
        {&s1ap_plmn_ops, make_plmn},
        {&s1ap_imsi_ops, make_imsi},
        {&s1ap_address_ops, make_address},
        {&s1ap_gnb_id_ops, make_gnb_id},
        {&s1ap_bit_string_ops, make_bit_string},
        {&s1ap_octets_pointer_ops, make_octets_pointer},
    };

    for (size_t i = 0; i < APER_COUNT(makers); i++)
        if (makers[i].ops == type->ops)
            makers[i].make(g, type, value);
}

void *s1ap_generate(struct s1ap_generator *g, enum s1ap_message message)
{
    void *body = arena_alloc(g->arena, s1ap_messages[message].size);

    if (body)
        make_rows(g, s1ap_messages[message].ies, body);
    return body;
}
