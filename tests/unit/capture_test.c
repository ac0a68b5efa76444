/*
 * capture_test.c -- recorded traffic of a real phone and base station stack at another LTE core:
 * every S1AP message decodes, is to be executed, and encodes to the same bytes.
 *
 * The capture lies beside the source tree, not in it. Environment STROWGER_CAPTURES names another
 * folder; without the file the test is skipped. Ethernet, Linux cooked and raw captures; IPv4;
 * SCTP, also inside UDP (RFC 6951); DATA chunks are put together when a message took several.
 */
#include "unit.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/nas/nas.h"
#include "wire/s1ap/s1ap.h"

#ifndef STROWGER_CAPTURES
#define STROWGER_CAPTURES "../shared/captures"
#endif

#define PROTOCOL_UDP  17
#define PROTOCOL_SCTP 132
#define SCTP_IN_UDP   9899 /* RFC 6951 */

struct totals {
    unsigned messages;
    unsigned nas_messages; /* of them inside others: ESM messages in EMM messages */
    unsigned nas_ciphered;
    bool ciphering; /* what the last Security Mode Command chose */
    unsigned of_message[S1AP_MESSAGE_COUNT];
};

/* A message of several DATA chunks; one at a time, which is how SCTP stacks send them. */
struct assembly {
    uint8_t octets[65536];
    size_t len;
};

static void check_plain_nas(struct bytes plain, enum eps_direction direction, struct arena *arena,
                            struct totals *totals)
{
    struct nas_message message;
    struct nas_fault fault;
    uint8_t again[NAS_MESSAGE_MAX];
    struct writer w = writer_of(again, sizeof(again));
    char line[1000];
    struct text t = text_in(line, sizeof(line));

    assert_int_equal(nas_decode(plain, direction, arena, &message, &fault), 0);
    nas_print(&t, &message, arena);
    print_message("#     %s\n", line);
    nas_encode(&w, &message);
    assert_false(w.bad);
    assert_int_equal(wr_len(&w), plain.len);
    assert_memory_equal(again, plain.at, plain.len);
    totals->nas_messages++;
    if (message.type == NAS_SECURITY_MODE_COMMAND)
        totals->ciphering = message.security_mode_command->selected_eea != 0;
    if (message.type == NAS_ATTACH_REQUEST)
        check_plain_nas(message.attach_request->esm_message_container, direction, arena, totals);
    if (message.type == NAS_ATTACH_ACCEPT)
        check_plain_nas(message.attach_accept->esm_message_container, direction, arena, totals);
    if (message.type == NAS_ATTACH_COMPLETE)
        check_plain_nas(message.attach_complete->esm_message_container, direction, arena, totals);
}

static void check_nas(struct bytes pdu, enum eps_direction direction, struct arena *arena,
                      struct totals *totals)
{
    struct nas_header header;
    uint8_t outside[NAS_SECURITY_HEADER_SIZE];
    struct writer w = writer_of(outside, sizeof(outside));

    assert_int_equal(nas_header_read(pdu, &header), 0);
    if (header.security == NAS_PLAIN || header.security >= NAS_SERVICE_REQUEST_HEADER) {
        check_plain_nas(pdu, direction, arena, totals);
        return;
    }
    wr_u8(&w, (uint8_t)(header.security << 4 | header.protocol));
    wr_u32(&w, header.mac);
    wr_u8(&w, header.sequence_number);
    assert_int_equal(pdu.len, sizeof(outside) + header.inner.len);
    assert_memory_equal(pdu.at, outside, sizeof(outside));
    bool ciphered =
        header.security == NAS_INTEGRITY_CIPHERED || header.security == NAS_INTEGRITY_CIPHERED_NEW;
    if (ciphered && totals->ciphering)
        totals->nas_ciphered++;
    else
        check_plain_nas(header.inner, direction, arena, totals);
}

/* Every NAS PDU that an S1AP message of this capture may carry. */
static void check_nas_inside(const struct s1ap_pdu *pdu, struct arena *arena, struct totals *totals)
{
    if (pdu->message == S1AP_INITIAL_UE_MESSAGE)
        check_nas(pdu->initial_ue_message->nas_pdu, EPS_UPLINK, arena, totals);
    if (pdu->message == S1AP_UPLINK_NAS_TRANSPORT)
        check_nas(pdu->uplink_nas_transport->nas_pdu, EPS_UPLINK, arena, totals);
    if (pdu->message == S1AP_DOWNLINK_NAS_TRANSPORT)
        check_nas(pdu->downlink_nas_transport->nas_pdu, EPS_DOWNLINK, arena, totals);
    if (pdu->message != S1AP_INITIAL_CONTEXT_SETUP_REQUEST)
        return;
    const struct s1ap_initial_context_setup_request *request = pdu->initial_context_setup_request;
    for (size_t i = 0; i < request->e_rab_to_be_setup_list.count; i++)
        if (request->e_rab_to_be_setup_list.at[i].nas_pdu)
            check_nas(*request->e_rab_to_be_setup_list.at[i].nas_pdu, EPS_DOWNLINK, arena, totals);
}

static void check_s1ap(struct bytes message, struct totals *totals)
{
    struct arena arena;
    struct s1ap_pdu pdu;
    struct s1ap_report report;
    uint8_t again[65536];
    struct writer w = writer_of(again, sizeof(again));
    char line[2000];
    struct text t = text_in(line, sizeof(line));

    arena_init(&arena, 1 << 20);
    assert_int_equal(s1ap_decode(message, &arena, &pdu, &report), 0);
    s1ap_print(&t, &pdu);
    print_message("# %s\n", line);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(report.ignored, 0);
    assert_int_equal(s1ap_encode(&w, pdu.message, pdu.body), 0);
    assert_int_equal(wr_len(&w), message.len);
    assert_memory_equal(again, message.at, message.len);
    totals->messages++;
    totals->of_message[pdu.message]++;
    check_nas_inside(&pdu, &arena, totals);
    arena_free(&arena);
}

static void take_data_chunk(struct reader *chunk, uint8_t flags, struct totals *totals)
{
    static struct assembly assembly;

    rd_skip(chunk, 8); /* TSN, stream, sequence number */
    uint32_t payload_protocol = rd_u32(chunk);
    struct bytes part = rd_rest(chunk);

    if (chunk->bad || payload_protocol != S1AP_SCTP_PPID)
        return;
    if (flags & 2) /* B: the beginning */
        assembly.len = 0;
    assert_true(part.len <= sizeof(assembly.octets) - assembly.len);
    memcpy(assembly.octets + assembly.len, part.at, part.len);
    assembly.len += part.len;
    if (flags & 1) /* E: the end */
        check_s1ap(bytes_of(assembly.octets, assembly.len), totals);
}

static void take_sctp(struct reader r, struct totals *totals)
{
    rd_skip(&r, 12); /* ports, verification tag, checksum */
    while (rd_left(&r) >= 4) {
        uint8_t type = rd_u8(&r);
        uint8_t flags = rd_u8(&r);
        uint16_t length = rd_u16(&r);
        if (length < 4)
            return;
        struct reader chunk = rd_sub(&r, length - 4u);
        if (type == 0)
            take_data_chunk(&chunk, flags, totals);
        if (length % 4 != 0 && rd_left(&r) > 0)
            rd_skip(&r, 4u - length % 4);
    }
}

static void take_ipv4(struct reader r, struct totals *totals)
{
    uint8_t first = rd_u8(&r);

    if (first >> 4 != 4)
        return;
    rd_skip(&r, 1);
    uint16_t total = rd_u16(&r);
    rd_skip(&r, 5);
    uint8_t protocol = rd_u8(&r);
    rd_skip(&r, 10);
    rd_skip(&r, (first & 15) * 4u - 20);
    if (r.bad || total < (first & 15) * 4u)
        return;
    struct reader payload = rd_sub(&r, total - (first & 15) * 4u);
    if (protocol == PROTOCOL_UDP) {
        uint16_t from = rd_u16(&payload), to = rd_u16(&payload);
        rd_skip(&payload, 4);
        if (from != SCTP_IN_UDP && to != SCTP_IN_UDP)
            return;
        protocol = PROTOCOL_SCTP;
    }
    if (protocol == PROTOCOL_SCTP && !payload.bad)
        take_sctp(payload, totals);
}

/* What is in front of the IP header; -1 for link types this test does not know. */
static int link_header(int link_type, const uint8_t *frame, size_t len)
{
    switch (link_type) {
    case DLT_EN10MB:
        return len > 14 && frame[12] == 0x81 && frame[13] == 0 ? 18 : 14;
    case DLT_LINUX_SLL:
        return 16;
    case DLT_LINUX_SLL2:
        return 20;
    case DLT_RAW:
        return 0;
    default:
        return -1;
    }
}

static void read_capture(pcap_t *capture, struct totals *totals)
{
    struct pcap_pkthdr *header;
    const uint8_t *frame;

    while (pcap_next_ex(capture, &header, &frame) == 1) {
        int skip = link_header(pcap_datalink(capture), frame, header->caplen);
        assert_true(skip >= 0);
        struct reader r = reader_of(frame, header->caplen);
        rd_skip(&r, (size_t)skip);
        if (!r.bad)
            take_ipv4(r, totals);
    }
}

static void every_recorded_message_round_trips(void **state)
{
    const char *folder = getenv("STROWGER_CAPTURES");
    char path[512], why[PCAP_ERRBUF_SIZE];
    struct totals totals = {0};

    (void)state;
    snprintf(path, sizeof(path), "%s/lte-attach-detach.pcapng",
             folder ? folder : STROWGER_CAPTURES);
    pcap_t *capture = pcap_open_offline(path, why);
    if (!capture) {
        print_message("# skipped: no capture: %s\n", why);
        skip();
    }
    read_capture(capture, &totals);
    pcap_close(capture);

    /* One phone attaches and detaches. */
    assert_int_equal(totals.of_message[S1AP_S1_SETUP_REQUEST], 1);
    assert_int_equal(totals.of_message[S1AP_S1_SETUP_RESPONSE], 1);
    assert_int_equal(totals.of_message[S1AP_INITIAL_UE_MESSAGE], 1);
    assert_int_equal(totals.of_message[S1AP_INITIAL_CONTEXT_SETUP_REQUEST], 1);
    assert_int_equal(totals.of_message[S1AP_INITIAL_CONTEXT_SETUP_RESPONSE], 1);
    assert_int_equal(totals.of_message[S1AP_UE_CAPABILITY_INFO_INDICATION], 1);
    assert_int_equal(totals.of_message[S1AP_UE_CONTEXT_RELEASE_COMMAND], 1);
    assert_int_equal(totals.of_message[S1AP_UE_CONTEXT_RELEASE_COMPLETE], 1);
    assert_true(totals.messages >= 15);
    assert_true(totals.nas_messages + totals.nas_ciphered >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_message_round_trips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
