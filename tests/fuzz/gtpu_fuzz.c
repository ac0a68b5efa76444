/*
 * gtpu_fuzz.c -- any octets as a GTP-U datagram: nothing is read past its end, and what can be read
 * is written again to the same octets.
 */
#include <stdlib.h>

#include "wire/gtp/gtpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool knows_nothing(uint8_t type)
{
    (void)type;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[65600];
    char line[512];
    struct text t = text_in(line, sizeof(line));
    struct gtpu_header header, second;
    struct gtpu_error_indication error;
    struct bytes types;

    gtpu_trace_printer(bytes_of(data, size), &t);
    if (gtpu_read(bytes_of(data, size), &header) < 0)
        return 0;
    (void)gtpu_unsupported_extension(&header, knows_nothing);
    (void)gtpu_read_error_indication(&header, &error);
    (void)gtpu_read_supported_extension_headers(&header, &types);
    struct writer w = writer_of(again, sizeof(again));
    gtpu_write(&w, &header, header.payload.len);
    wr_view_of(&w, header.payload);
    if (w.bad)
        return 0; /* flags E without an extension take octets that are not written again, never more
                   */
    if (gtpu_read(wr_view(&w), &second) < 0 || second.teid != header.teid ||
        !bytes_equal(second.payload, header.payload) ||
        !bytes_equal(second.extensions, header.extensions))
        abort();
    return 0;
}
