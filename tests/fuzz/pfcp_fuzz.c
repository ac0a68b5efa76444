/*
 * pfcp_fuzz.c -- any bytes as a PFCP datagram. What decodes is printed, encoded, decoded again: it
 * must come out the same.
 */
#include <errno.h>
#include <stdlib.h>

#include "wire/pfcp/pfcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool it)
{
    if (!it)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t first[UINT16_MAX + 16], second[UINT16_MAX + 16];
    static char line[4096];
    struct arena arena;
    struct pfcp_header header;
    struct wire_fault fault;
    void *body;

    arena_init(&arena, 4 << 20);
    int err = pfcp_decode(bytes_of(data, size), &arena, &header, &body, &fault);
    expect((err == -EBADMSG && body) ==
           (fault.kind != WIRE_FAULT_NONE && fault.kind != WIRE_FAULT_NO_MEMORY));
    struct text t = text_in(line, sizeof(line));
    pfcp_print(&t, &header, body);
    if (err == 0) {
        struct writer w = writer_of(first, sizeof(first));
        if (pfcp_encode(&w, &header, body) == 0) {
            expect(pfcp_decode(wr_view(&w), &arena, &header, &body, &fault) == 0);
            struct writer again = writer_of(second, sizeof(second));
            expect(pfcp_encode(&again, &header, body) == 0);
            expect(bytes_equal(wr_view(&w), wr_view(&again)));
        }
    }
    arena_free(&arena);
    return 0;
}
