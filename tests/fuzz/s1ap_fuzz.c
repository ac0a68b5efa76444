/*
 * s1ap_fuzz.c -- any bytes as an S1AP message: decode, judge, print; what was decoded without
 * complaint is encoded and decoded again and must say the same.
 *
 * The first octet says what the rest is: a message as it is (0), or one of the containers inside of
 * messages (1 to 4). A mutator that knows nothing of PER gets far with the corpus, as the lengths
 * of an IE are plain.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/s1ap/s1ap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t encoded[1 << 20];
static char first[1 << 16], second[1 << 16];

static void require(bool what, const char *why)
{
    if (what)
        return;
    fprintf(stderr, "%s\n%s\n%s\n", why, first, second);
    abort();
}

static void fuzz_message(struct bytes message, struct arena *arena)
{
    struct s1ap_pdu pdu, again;
    struct s1ap_report report;
    struct writer w = writer_of(encoded, sizeof(encoded));
    struct text t = text_in(first, sizeof(first)), u = text_in(second, sizeof(second));

    int err = s1ap_decode(message, arena, &pdu, &report);
    s1ap_print_report(&t, &report);
    struct s1ap_error_indication error = s1ap_error_indication_of(&pdu, &report);
    if (report.verdict == S1AP_ERROR || report.verdict == S1AP_REJECT)
        require(s1ap_encode_error_indication(&w, &error) == 0, "cannot be reported");
    t = text_in(first, sizeof(first));
    s1ap_print(&t, &pdu);
    if (err < 0 || report.verdict != S1AP_PROCEED || report.ignored > 0)
        return;
    w = writer_of(encoded, sizeof(encoded));
    require(s1ap_encode(&w, pdu.message, pdu.body) == 0, "cannot be encoded");
    require(s1ap_decode(wr_view(&w), arena, &again, &report) == 0, "cannot be decoded again");
    require(report.verdict == S1AP_PROCEED && report.ignored == 0, "is not as good as it was");
    s1ap_print(&u, &again);
    require(t.cut || strcmp(first, second) == 0, "says something else");
}

static void fuzz_value(enum s1ap_value kind, struct bytes octets, struct arena *arena)
{
    static union {
        struct s1ap_source_enb_to_target_enb_container source;
        struct s1ap_target_enb_to_source_enb_container target;
        struct s1ap_enb_status_transfer_container status;
        struct s1ap_son_configuration_transfer son;
    } value;
    struct writer w = writer_of(encoded, sizeof(encoded));

    if (s1ap_decode_value(octets, arena, kind, &value) < 0)
        return;
    /* Items of unknown kinds may have left a list empty, which cannot be sent. */
    if (s1ap_encode_value(&w, kind, &value) == 0)
        require(s1ap_decode_value(wr_view(&w), arena, kind, &value) == 0, "value is broken");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena = {.limit = 1 << 20};

    if (size == 0)
        return 0;
    struct bytes octets = bytes_of(data + 1, size - 1);
    if (data[0] == 0)
        fuzz_message(octets, &arena);
    else if (data[0] <= S1AP_VALUE_COUNT)
        fuzz_value((enum s1ap_value)(data[0] - 1), octets, &arena);
    arena_reset(&arena);
    return 0;
}
