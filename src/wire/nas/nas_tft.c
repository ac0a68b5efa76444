/*
 * nas_tft.c -- traffic flow templates: TS 24.008 clause 10.5.6.12.
 *
 * The value is an octet (operation, parameters-follow bit E, number of packet filters), the packet
 * filters, and perhaps parameters. A packet filter has an identifier with its direction, an
 * evaluation precedence and a length; then components, each a type and a value whose length the
 * type tells. When filters are deleted only their identifiers are there.
 */
#include <errno.h>

#include "wire/nas/nas_table.h"

#define OPERATION_SHIFT 5
#define PARAMETERS      0x10

/* Octets of a component's value (table 10.5.162). */
static const struct {
    uint8_t component;
    uint8_t size;
} sizes[] = {
    {NAS_FILTER_IPV4_REMOTE, 8},
    {NAS_FILTER_IPV4_LOCAL, 8},
    {NAS_FILTER_IPV6_REMOTE, 32},
    {NAS_FILTER_IPV6_REMOTE_PREFIX, 17},
    {NAS_FILTER_IPV6_LOCAL_PREFIX, 17},
    {NAS_FILTER_PROTOCOL, 1},
    {NAS_FILTER_LOCAL_PORT, 2},
    {NAS_FILTER_LOCAL_PORT_RANGE, 4},
    {NAS_FILTER_REMOTE_PORT, 2},
    {NAS_FILTER_REMOTE_PORT_RANGE, 4},
    {NAS_FILTER_SPI, 4},
    {NAS_FILTER_TRAFFIC_CLASS, 2},
    {NAS_FILTER_FLOW_LABEL, 3},
};

bool nas_packet_filter_next(struct reader *r, uint8_t *component, struct bytes *value)
{
    if (rd_left(r) == 0)
        return false;
    *component = rd_u8(r);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i].component == *component) {
            *value = rd_view(r, sizes[i].size);
            return !r->bad;
        }
    }
    rd_fail(r);
    return false;
}

static bool has_filter_contents(uint8_t operation)
{
    return operation == NAS_TFT_CREATE || operation == NAS_TFT_ADD_FILTERS ||
           operation == NAS_TFT_REPLACE_FILTERS;
}

static void check_components(struct reader *outer, struct bytes components)
{
    struct reader r = reader_of_bytes(components);
    struct bytes value;
    uint8_t component;

    while (nas_packet_filter_next(&r, &component, &value))
        ;
    rd_join(outer, &r);
}

static void rd_filter(struct reader *r, uint8_t operation, struct nas_packet_filter *filter)
{
    uint8_t octet = rd_u8(r);

    *filter = (struct nas_packet_filter){.id = octet & 15, .direction = octet >> 4 & 3};
    if (!has_filter_contents(operation))
        return;
    filter->precedence = rd_u8(r);
    filter->components = rd_view(r, rd_u8(r));
    check_components(r, filter->components);
}

/* Table 10.5.162: no filters for some operations, at least one for the others. */
static bool count_fits(const struct nas_tft *tft)
{
    switch (tft->operation) {
    case NAS_TFT_CREATE:
    case NAS_TFT_ADD_FILTERS:
    case NAS_TFT_REPLACE_FILTERS:
    case NAS_TFT_DELETE_FILTERS:
        return tft->filter_count > 0;
    case NAS_TFT_DELETE:
    case NAS_TFT_NO_OPERATION:
        return tft->filter_count == 0;
    case NAS_TFT_IGNORE:
        return true;
    default:
        return false;
    }
}

int nas_tft_decode(struct bytes value, struct nas_tft *tft)
{
    struct reader r = reader_of_bytes(value);
    uint8_t octet = rd_u8(&r);

    *tft = (struct nas_tft){.operation = octet >> OPERATION_SHIFT,
                            .filter_count = octet & 15,
                            .has_parameters = octet & PARAMETERS};
    if (!count_fits(tft))
        return -EBADMSG;
    for (unsigned i = 0; i < tft->filter_count; i++)
        rd_filter(&r, tft->operation, &tft->filters[i]);
    if (tft->has_parameters)
        tft->parameters = rd_rest(&r);
    return r.bad ? -EBADMSG : 0;
}

static void wr_filter(struct writer *w, uint8_t operation, const struct nas_packet_filter *filter)
{
    wr_u8(w, (uint8_t)((filter->direction & 3) << 4 | (filter->id & 15)));
    if (!has_filter_contents(operation))
        return;
    if (filter->components.len > 255)
        wr_fail(w);
    wr_u8(w, filter->precedence);
    wr_u8(w, (uint8_t)filter->components.len);
    wr_view_of(w, filter->components);
}

void nas_tft_encode(struct writer *w, const struct nas_tft *tft)
{
    if (tft->filter_count >= NAS_TFT_FILTERS_MAX || !count_fits(tft)) {
        wr_fail(w);
        return;
    }
    wr_u8(w, (uint8_t)(tft->operation << OPERATION_SHIFT | (tft->has_parameters ? PARAMETERS : 0) |
                       tft->filter_count));
    for (unsigned i = 0; i < tft->filter_count; i++)
        wr_filter(w, tft->operation, &tft->filters[i]);
    if (tft->has_parameters)
        wr_view_of(w, tft->parameters);
}

static void print_components(struct text *t, struct bytes components)
{
    struct reader r = reader_of_bytes(components);
    struct bytes value;
    uint8_t component;

    while (nas_packet_filter_next(&r, &component, &value)) {
        text_add(t, " %02x:", component);
        text_hex(t, value);
    }
}

static void print_filter(struct text *t, uint8_t operation, const struct nas_packet_filter *filter)
{
    text_add(t, " %u{direction:%u", filter->id, filter->direction);
    if (has_filter_contents(operation)) {
        text_add(t, " precedence:%u", filter->precedence);
        print_components(t, filter->components);
    }
    text_add(t, "}");
}

void nas_tft_print(struct text *t, struct bytes value)
{
    struct nas_tft tft;

    if (nas_tft_decode(value, &tft) < 0) {
        text_add(t, "broken:");
        text_hex(t, value);
        return;
    }
    text_add(t, "{operation:%u", tft.operation);
    for (unsigned i = 0; i < tft.filter_count; i++)
        print_filter(t, tft.operation, &tft.filters[i]);
    if (tft.has_parameters) {
        text_add(t, " parameters:");
        text_hex(t, tft.parameters);
    }
    text_add(t, "}");
}
