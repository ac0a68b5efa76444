/*
 * diameter_samples.c -- prints every Diameter message with every AVP of its table, one per line:
 * name and bytes in hexadecimal. diameter_dissect_test.py shows them to another dissector; the
 * fuzzer's seeds come from here too.
 */
#include <stdio.h>

#include "../unit/diameter_sample.h"

int main(void)
{
    const struct diameter_message *message;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    for (size_t n = 0; (message = sample_message(n)) != NULL; n++) {
        struct bytes bytes = sample_bytes(message, &arena);
        printf("%s ", message->name);
        for (size_t i = 0; i < bytes.len; i++)
            printf("%02x", bytes.at[i]);
        printf("\n");
        arena_reset(&arena);
    }
    arena_free(&arena);
    return 0;
}
