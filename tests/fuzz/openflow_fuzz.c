/*
 * openflow_fuzz.c -- any bytes as an OpenFlow message: what decodes must encode to something that
 * decodes to the same bytes, and print.
 */
#include <stdlib.h>

#include "wire/openflow/openflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t once[2 * OFP_MAX_MESSAGE], twice[2 * OFP_MAX_MESSAGE];
    static char printed[1 << 16];
    struct writer w1 = writer_of(once, sizeof(once)), w2 = writer_of(twice, sizeof(twice));
    struct text t = text_in(printed, sizeof(printed));
    struct arena arena;
    struct of_message m;
    of_error why;

    arena_init(&arena, 16 << 20);
    if (of_decode(&m, bytes_of(data, size), &arena, &why) == 0) {
        of_print(&t, &m);
        of_encode(&w1, &m);
        if (!w1.bad) {
            if (of_decode(&m, wr_view(&w1), &arena, &why) < 0)
                abort();
            of_encode(&w2, &m);
            if (!bytes_equal(wr_view(&w1), wr_view(&w2)))
                abort();
        }
    }
    arena_free(&arena);
    return 0;
}
