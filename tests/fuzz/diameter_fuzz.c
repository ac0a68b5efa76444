/*
 * diameter_fuzz.c -- any bytes as a Diameter message: scan, decode with the command's table, print,
 * refuse, and encode what was understood. What encodes again must decode again.
 */
#include <stdlib.h>

#include "wire/diameter/diameter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refuse(const struct diameter_envelope *envelope, const struct wire_fault *fault,
                   struct arena *arena)
{
    static uint8_t out[1 << 17];
    struct writer w = writer_of(out, sizeof(out));
    const struct diameter_refusal refusal = {
        .origin_host = diameter_text_of("hss.example"),
        .origin_realm = diameter_text_of("example"),
        .result = diameter_fault_result(fault),
        .failed_avp = diameter_fault_avp(fault, arena),
    };

    diameter_encode_refusal(&w, envelope, &refusal);
}

static void encode_again(const struct diameter_message *message, const void *value,
                         struct arena *arena)
{
    static uint8_t out[1 << 18];
    struct writer w = writer_of(out, sizeof(out));
    struct wire_context context = {.arena = arena};

    diameter_encode(&w, message, &(struct diameter_header){0}, value);
    void *again = arena_alloc(arena, message->group->size);
    /* An address of a family that cannot be written is the one thing that is read but not sent. */
    if (!w.bad && again && diameter_decode(message, wr_view(&w), again, &context) < 0 &&
        context.fault.kind != WIRE_FAULT_NO_MEMORY)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diameter_envelope envelope;
    struct bytes whole = bytes_of(data, size);
    struct arena arena;
    char line[1024];
    struct text t = text_in(line, sizeof(line));

    arena_init(&arena, 1 << 20);
    struct wire_context context = {.arena = &arena};
    if (diameter_scan(whole, &envelope) == 0) {
        (void)diameter_has_passed(&envelope, diameter_text_of("hss.example"));
        const struct diameter_message *message =
            diameter_message_find(envelope.header.application, envelope.header.command,
                                  diameter_is_request(&envelope.header));
        void *value = message ? arena_alloc(&arena, message->group->size) : NULL;
        if (value && diameter_decode(message, whole, value, &context) < 0)
            refuse(&envelope, &context.fault, &arena);
        else if (value && !(envelope.header.flags & DIAMETER_FLAG_ERROR))
            encode_again(message, value, &arena);
    }
    diameter_print(whole, &t, &arena);
    arena_free(&arena);
    return 0;
}
