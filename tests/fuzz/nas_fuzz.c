/*
 * nas_fuzz.c -- any octets as a NAS PDU from a phone or from the network: its outside, its
 * protection, the message, the message within it, PCO and TFT. What was understood encodes, and the
 * encoding means the same.
 *
 * The first octet chooses: bit 0 the direction, bits 1 and 2 the ciphering algorithm, bits 3 and 4
 * the integrity algorithm (mostly the null one, so that protected messages get past their MAC).
 */
#include <stdlib.h>

#include "wire/nas/nas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char first_print[1 << 16], second_print[1 << 16];
static uint8_t first_octets[1 << 17], second_octets[1 << 17];

static struct text printed(const struct nas_message *message, char *buffer, size_t size,
                           struct arena *arena)
{
    struct text t = text_in(buffer, size);

    nas_print(&t, message, arena);
    return t;
}

/* Decoding what was encoded gives the same message: the same text, and the same octets again. An
 * element that held less than its length said may become too short to be sent, which is refused. */
static void encode_and_compare(const struct nas_message *message, struct arena *arena)
{
    struct writer w = writer_of(first_octets, sizeof(first_octets));
    struct writer v = writer_of(second_octets, sizeof(second_octets));
    struct nas_message again;
    struct nas_fault fault;

    nas_encode(&w, message);
    if (w.bad)
        return;
    if (nas_decode(wr_view(&w), message->direction, arena, &again, &fault) < 0)
        abort();
    nas_encode(&v, &again);
    if (v.bad || !bytes_equal(wr_view(&w), wr_view(&v)))
        abort();
    struct text a = printed(message, first_print, sizeof(first_print), arena);
    struct text b = printed(&again, second_print, sizeof(second_print), arena);
    if (a.len != b.len || memcmp(a.at, b.at, a.len) != 0)
        abort();
}

static void fuzz_message(struct bytes plain, enum eps_direction direction, struct arena *arena)
{
    struct nas_message message;
    struct nas_fault fault;

    if (nas_decode(plain, direction, arena, &message, &fault) < 0)
        return;
    (void)nas_is_acceptable_unprotected(&message);
    encode_and_compare(&message, arena);
    if (message.type == NAS_ATTACH_REQUEST)
        fuzz_message(message.attach_request->esm_message_container, direction, arena);
}

static void fuzz_protection(struct bytes pdu, uint8_t choice, struct arena *arena)
{
    static const uint8_t kasme[32] = {1, 2, 3};
    enum eps_direction direction = choice & 1 ? EPS_DOWNLINK : EPS_UPLINK;
    struct nas_security_context context, before;
    struct nas_opened opened;

    if (nas_security_start(&context, kasme, 1, choice >> 1 & 3, choice >> 3 & 3) < 0)
        abort();
    before = context;
    if (nas_unprotect(&context, direction, pdu, arena, &opened) == 0)
        fuzz_message(opened.plain, direction, arena);
    else if (memcmp(&context, &before, sizeof(context)) != 0)
        abort();
}

static void fuzz_options(struct bytes value)
{
    struct nas_pco_answer answer;
    struct nas_tft tft;
    struct writer w = writer_of(first_octets, sizeof(first_octets));
    struct text t = text_in(first_print, sizeof(first_print));

    (void)nas_pco_read_answer(value, &answer);
    nas_pco_print(&t, value);
    t = text_in(first_print, sizeof(first_print));
    nas_tft_print(&t, value);
    w = writer_of(first_octets, sizeof(first_octets));
    if (nas_tft_decode(value, &tft) == 0) {
        nas_tft_encode(&w, &tft);
        if (w.bad || wr_len(&w) > value.len || nas_tft_decode(wr_view(&w), &tft) < 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    if (size == 0)
        return 0;
    struct bytes pdu = bytes_of(data + 1, size - 1);
    enum eps_direction direction = data[0] & 1 ? EPS_DOWNLINK : EPS_UPLINK;
    struct text t = text_in(first_print, sizeof(first_print));
    arena_init(&arena, 1 << 20);
    nas_print_pdu(&t, pdu, direction, &arena);
    fuzz_message(pdu, direction, &arena);
    fuzz_protection(pdu, data[0], &arena);
    fuzz_options(pdu);
    arena_free(&arena);
    return 0;
}
