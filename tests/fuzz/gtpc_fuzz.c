/*
 * gtpc_fuzz.c -- any octets as a GTPv2-C datagram: decoded, printed, encoded, and the encoding
 * decodes to itself. The PCO inside is answered as the P-GW does.
 */
#include <stdlib.h>

#include "wire/gtp/gtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer_pco(const struct gtpc_message *message)
{
    static const struct pco_offer offer = {
        .dns_ipv4 = {{0x08080808}, {0x04040808}}, .mtu = 1400, .ue_ipv4 = {0x02002d0a}};
    uint8_t space[PCO_MAX_SIZE];
    struct writer w = writer_of(space, sizeof(space));
    struct pco pco;

    if (message->header.type != GTPC_CREATE_SESSION_REQUEST ||
        !message->create_session_request->pco)
        return;
    int len = pco_answer(*message->create_session_request->pco, &offer, &w);
    if (len > 0 && pco_decode(bytes_of(space, (size_t)len), &pco) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t first[131072], second[131072];
    static char line[4096];
    struct text t = text_in(line, sizeof(line));
    struct gtpc_message message;
    struct arena arena;

    arena_init(&arena, 65536);
    gtpc_trace_printer(bytes_of(data, size), &t);
    if (gtpc_decode(bytes_of(data, size), &arena, &message) == 0) {
        struct writer w = writer_of(first, sizeof(first));
        answer_pco(&message);
        if (gtpc_encode(&w, &message.header, message.body) == 0) {
            struct writer again = writer_of(second, sizeof(second));
            arena_reset(&arena);
            if (gtpc_decode(wr_view(&w), &arena, &message) < 0 ||
                gtpc_encode(&again, &message.header, message.body) < 0 ||
                !bytes_equal(wr_view(&w), wr_view(&again)))
                abort();
        }
    }
    arena_free(&arena);
    return 0;
}
