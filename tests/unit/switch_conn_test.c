/*
 * switch_conn_test.c -- what the switch answers to its controllers: the error of every malformed or
 * impossible request, roles and who hears of what, packets that wait in buffers, tables' features
 * and vacancy.
 */
#include <stdio.h>
#include <stdlib.h>

#include "switch_world.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- errors (clause 7.4.4) ---- */

/* A message from its type and the hexadecimal digits of its body; spaces mean nothing. */
static struct bytes message(uint8_t room[2048], uint8_t version, uint8_t type, const char *hex)
{
    struct writer w = writer_of(room, 2048);
    int high = -1;

    wr_u8(&w, version);
    wr_u8(&w, type);
    wr_u16(&w, 0);
    wr_u32(&w, 1);
    for (; *hex; hex++) {
        int digit = *hex <= '9' ? *hex - '0' : (*hex | 32) - 'a' + 10;

        if (*hex == ' ')
            continue;
        assert_in_range(digit, 0, 15);
        if (high >= 0)
            wr_u8(&w, (uint8_t)(high << 4 | digit));
        high = high >= 0 ? -1 : digit;
    }
    assert_int_equal(high, -1);
    wr_patch_u16(&w, 2, (uint16_t)wr_len(&w));
    return wr_view(&w);
}

struct refused {
    const char *what;
    uint8_t type;
    const char *body;
    of_error error;
};

static void check_refused(struct openflow_channel *ch, const struct refused *rows, size_t count)
{
    uint8_t room[2048];

    for (size_t i = 0; i < count; i++) {
        of_error error = world_error_of(ch, message(room, OFP_VERSION, rows[i].type, rows[i].body));

        if (error != rows[i].error)
            fail_msg("%s: error %u/%u instead of %u/%u", rows[i].what, OF_ERROR_TYPE(error),
                     OF_ERROR_CODE(error), OF_ERROR_TYPE(rows[i].error),
                     OF_ERROR_CODE(rows[i].error));
    }
}

#define ZERO4 "00000000 "
#define ZERO8 ZERO4 ZERO4
#define ANY   "ffffffff "
#define LARGE "ffffff01 " /* above OFPP_MAX and OFPG_MAX, and no reserved number */

static void errors_of_requests(void **state)
{
    static const struct refused rows[] = {
        {"unknown type", 30, "", OFPBRC_BAD_TYPE},
        {"a type of our own", OFPT_ONF_BUNDLE_CONTROL, ZERO8, OFPBRC_BAD_TYPE},
        {"a reply", OFPT_FEATURES_REPLY, ZERO8 ZERO8 ZERO8, OFPBRC_BAD_TYPE},
        {"a barrier reply", OFPT_BARRIER_REPLY, "", OFPBRC_BAD_TYPE},
        {"features request with a body", OFPT_FEATURES_REQUEST, ZERO4, OFPBRC_BAD_LEN},
        {"barrier request with a body", OFPT_BARRIER_REQUEST, ZERO4, OFPBRC_BAD_LEN},
        {"get config request with a body", OFPT_GET_CONFIG_REQUEST, ZERO4, OFPBRC_BAD_LEN},
        {"get async request with a body", OFPT_GET_ASYNC_REQUEST, ZERO4, OFPBRC_BAD_LEN},
        {"set config cut", OFPT_SET_CONFIG, "0000", OFPBRC_BAD_LEN},
        {"set config: reassembly", OFPT_SET_CONFIG, "0002 0080", OFPSCFC_BAD_FLAGS},
        {"set config: unknown flags", OFPT_SET_CONFIG, "0010 0080", OFPSCFC_BAD_FLAGS},
        {"experimenter cut", OFPT_EXPERIMENTER, "00002320 0000", OFPBRC_BAD_LEN},
        {"unknown experimenter", OFPT_EXPERIMENTER, "00123456 00000001", OFPBRC_BAD_EXPERIMENTER},
        {"unknown type of the ONF", OFPT_EXPERIMENTER, "4f4e4600 00000001", OFPBRC_BAD_EXP_TYPE},
        {"unknown type of Nicira", OFPT_EXPERIMENTER, "00002320 00000001", OFPBRC_BAD_EXP_TYPE},
        {"paused, from a controller", OFPT_EXPERIMENTER, "4f4e4600 0000074f", OFPBRC_BAD_TYPE},
        {"role status, from a controller", OFPT_EXPERIMENTER, "4f4e4600 00000777" ZERO8 ZERO8,
         OFPBRC_BAD_TYPE},
        {"cancel cut", OFPT_EXPERIMENTER, "4f4e4600 0000074e 0000", OFPBRC_BAD_LEN},
        {"cancel of no monitor", OFPT_EXPERIMENTER, "4f4e4600 0000074e 00000001",
         NXMOFC_UNKNOWN_MONITOR},
        {"role: unknown", OFPT_ROLE_REQUEST, "00000007" ZERO4 ZERO8, OFPRRFC_BAD_ROLE},
        {"role cut", OFPT_ROLE_REQUEST, "00000002" ZERO4, OFPBRC_BAD_LEN},
        {"async cut", OFPT_SET_ASYNC, ZERO8 ZERO8, OFPBRC_BAD_LEN},
        {"async property unknown", OFPT_EXPERIMENTER, "00002320 0000001b 000c 0008" ZERO4,
         ONF_ASYNC_UNSUPPORTED},
        {"async property short", OFPT_EXPERIMENTER, "00002320 0000001b 0006 0004", OFPTFFC_BAD_LEN},
        {"async property cut", OFPT_EXPERIMENTER, "00002320 0000001b 0006 0008 0000",
         OFPTFFC_BAD_LEN},
        {"async mask of no reason", OFPT_EXPERIMENTER, "00002320 0000001b 0006 0008 00000008",
         ONF_ASYNC_INVALID},
        {"queue config of no port", OFPT_QUEUE_GET_CONFIG_REQUEST, "00000063" ZERO4,
         OFPQOFC_BAD_PORT},
    };
    struct openflow_channel *ch = world_connect();
    uint8_t room[2048];

    (void)state;
    check_refused(ch, rows, COUNT(rows));
    assert_int_equal(world_error_of(ch, message(room, 5, OFPT_BARRIER_REQUEST, "")),
                     OFPBRC_BAD_VERSION);
}

static void errors_of_multipart(void **state)
{
    static const struct refused rows[] = {
        {"cut", 18, "0000 0000", OFPBRC_BAD_LEN},
        {"unknown", 18, "0077 0000" ZERO4, OFPBRC_BAD_MULTIPART},
        {"a number of our own", 18, "ff00 0000" ZERO4, OFPBRC_BAD_MULTIPART},
        {"unknown experimenter", 18, "ffff 0000" ZERO4 "00123456 00000001",
         OFPBRC_BAD_EXPERIMENTER},
        {"unknown type of the ONF", 18, "ffff 0000" ZERO4 "4f4e4600 00000001", OFPBRC_BAD_EXP_TYPE},
        {"experimenter cut", 18, "ffff 0000" ZERO4 "4f4e4600", OFPBRC_BAD_LEN},
        {"description with a body", 18, "0000 0000" ZERO4 ZERO8, OFPBRC_BAD_LEN},
        {"description in parts", 18, "0000 0001" ZERO4, OFPBRC_MULTIPART_BUFFER_OVERFLOW},
        {"port of none", 18, "0004 0000" ZERO4 "00000063" ZERO4, OFPBRC_BAD_PORT},
        {"queue of no port", 18, "0005 0000" ZERO4 "00000063" ANY, OFPQOFC_BAD_PORT},
        {"queue of none", 18, "0005 0000" ZERO4 "00000001 00000001", OFPQOFC_BAD_QUEUE},
        {"meter of none", 18, "0009 0000" ZERO4 "00000009" ZERO4, OFPMMFC_UNKNOWN_METER},
        {"meter config of none", 18, "000a 0000" ZERO4 "00000009" ZERO4, OFPMMFC_UNKNOWN_METER},
        {"flow request: match cut", 18,
         "0001 0000" ZERO4 "ff000000" ANY ANY ZERO4 ZERO8 ZERO8 "0001 0010" ZERO4, OFPBMC_BAD_LEN},
        {"flow request: unknown field", 18,
         "0001 0000" ZERO4 "ff000000" ANY ANY ZERO4 ZERO8 ZERO8 "0001 0008 8000fe00",
         OFPBMC_BAD_FIELD},
        {"monitor cut", 18, "ffff 0000" ZERO4 "4f4e4600 0000074e" ZERO8, OFPBRC_BAD_LEN},
        {"monitor's match", 18,
         "ffff 0000" ZERO4 "4f4e4600 0000074e 00000001 0002 0009" ANY "03000000" ZERO8 ZERO8,
         OFPBMC_BAD_FIELD},
    };

    (void)state;
    check_refused(world_connect(), rows, COUNT(rows));
}

/* Up to the match: table, command, buffer, flags. */
#define FLOW(table, command, buffer, flags) \
    ZERO8 ZERO8 table command "0000 0000 0005" buffer ANY ANY flags "0000 "
#define ADD(table)  FLOW(table, "00", ANY, "0000")
#define NO_MATCH    "0001 0004" ZERO4
#define APPLY(size) "0004" size ZERO4

static void errors_of_flow_mods(void **state)
{
    static const struct refused rows[] = {
        {"cut", 14, ZERO8, OFPBRC_BAD_LEN},
        {"command", 14, FLOW("00", "05", ANY, "0000") NO_MATCH, OFPFMFC_BAD_COMMAND},
        {"table", 14, FLOW("ff", "00", ANY, "0000") NO_MATCH, OFPFMFC_BAD_TABLE_ID},
        {"flags", 14, FLOW("00", "00", ANY, "0020") NO_MATCH, OFPFMFC_BAD_FLAGS},
        {"overlap", 14, FLOW("09", "00", ANY, "0002") NO_MATCH, OFPFMFC_OVERLAP},
        {"buffer", 14, FLOW("00", "00", "00000001", "0000") NO_MATCH, OFPBRC_BUFFER_UNKNOWN},
        {"match type", 14, ADD("00") "0000 0004" ZERO4, OFPBMC_BAD_TYPE},
        {"match length under 4", 14, ADD("00") "0001 0003" ZERO4, OFPBMC_BAD_LEN},
        {"match beyond the end", 14, ADD("00") "0001 0014" ZERO4, OFPBMC_BAD_LEN},
        {"field cut", 14, ADD("00") "0001 0008 80000004", OFPBMC_BAD_LEN},
        {"field of wrong length", 14, ADD("00") "0001 000a 80000002 0001" ZERO4 "0000",
         OFPBMC_BAD_LEN},
        {"field unknown", 14, ADD("00") "0001 0008 8000fe00", OFPBMC_BAD_FIELD},
        {"class unknown", 14, ADD("00") "0001 0008 12340000", OFPBMC_BAD_FIELD},
        {"field value", 14, ADD("00") "0001 000a 80000c02 2001" ZERO4 "0000", OFPBMC_BAD_VALUE},
        {"field mask", 14, ADD("00") "0001 0010 80000108 00000001 00000001", OFPBMC_BAD_MASK},
        {"value outside its mask", 14,
         ADD("00") "0001 0018 80000510 0000000000000003 0000000000000001", OFPBMC_BAD_WILDCARDS},
        {"field twice", 14, ADD("00") "0001 0014 80000004 00000001 80000004 00000001" ZERO4,
         OFPBMC_DUP_FIELD},
        {"prerequisite", 14, ADD("00") "0001 000c 80001604 0a000001" ZERO4, OFPBMC_BAD_PREREQ},
        {"instruction unknown", 14, ADD("00") NO_MATCH "0007 0008" ZERO4, OFPBIC_UNKNOWN_INST},
        {"instruction of an experimenter", 14, ADD("00") NO_MATCH "ffff 0008 00123456",
         OFPBIC_BAD_EXPERIMENTER},
        {"instruction length", 14, ADD("00") NO_MATCH "0004 0004", OFPBIC_BAD_LEN},
        {"instruction beyond the end", 14, ADD("00") NO_MATCH "0004 0020" ZERO4, OFPBIC_BAD_LEN},
        {"goto with a long body", 14, ADD("00") NO_MATCH "0001 0010 05000000" ZERO8,
         OFPBIC_BAD_LEN},
        {"goto back", 14, ADD("05") NO_MATCH "0001 0008 05000000", OFPBIC_BAD_TABLE_ID},
        {"goto beyond", 14, ADD("05") NO_MATCH "0001 0008 ff000000", OFPBIC_BAD_TABLE_ID},
        {"instruction twice", 14, ADD("00") NO_MATCH "0001 0008 05000000 0001 0008 06000000",
         OFPBIC_DUP_INST},
        {"meter", 14, ADD("00") NO_MATCH "0006 0008 00000009", OFPMMFC_UNKNOWN_METER},
        {"action unknown", 14, ADD("00") NO_MATCH APPLY("0010") "0063 0008" ZERO4, OFPBAC_BAD_TYPE},
        {"action length", 14, ADD("00") NO_MATCH APPLY("0010") "0000 0008" ZERO4, OFPBAC_BAD_LEN},
        {"action beyond the end", 14, ADD("00") NO_MATCH APPLY("0010") "0000 0010" ZERO4,
         OFPBAC_BAD_LEN},
        {"action of an experimenter", 14, ADD("00") NO_MATCH APPLY("0010") "ffff 0008 00123456",
         OFPBAC_BAD_EXPERIMENTER},
        {"action of Nicira", 14,
         ADD("00") NO_MATCH APPLY("0018") "ffff 0010 00002320 0063" ZERO4 "0000",
         OFPBAC_BAD_EXP_TYPE},
        {"output to 0", 14, ADD("00") NO_MATCH APPLY("0018") "0000 0010 00000000 ffff" ZERO4 "0000",
         OFPBAC_BAD_OUT_PORT},
        {"output to the tables", 14,
         ADD("00") NO_MATCH APPLY("0018") "0000 0010 fffffff9 ffff" ZERO4 "0000",
         OFPBAC_BAD_OUT_PORT},
        {"output to a number that is none", 14,
         ADD("00") NO_MATCH APPLY("0018") "0000 0010" LARGE "ffff" ZERO4 "0000",
         OFPBAC_BAD_OUT_PORT},
        {"group", 14, ADD("00") NO_MATCH APPLY("0010") "0016 0008 00000009", OFPBAC_BAD_OUT_GROUP},
        {"push of no tag", 14, ADD("00") NO_MATCH APPLY("0010") "0011 0008 08000000",
         OFPBAC_BAD_ARGUMENT},
        {"pop of no tag", 14, ADD("00") NO_MATCH APPLY("0010") "0012 0008" ZERO4,
         OFPBAC_MATCH_INCONSISTENT},
        {"set_field unknown", 14, ADD("00") NO_MATCH APPLY("0018") "0019 0010 8000fe04" ZERO8,
         OFPBAC_BAD_SET_TYPE},
        {"set_field of in_port", 14, ADD("00") NO_MATCH APPLY("0018") "0019 0010 80000004" ZERO8,
         OFPBAC_BAD_SET_TYPE},
        {"set_field length", 14, ADD("00") NO_MATCH APPLY("0018") "0019 0010 80000604" ZERO8,
         OFPBAC_BAD_SET_LEN},
        {"set_field value", 14,
         ADD("00") NO_MATCH APPLY("0018") "0019 0010 80000e01 08" ZERO4 "000000",
         OFPBAC_BAD_SET_ARGUMENT},
        {"set_field of what is not matched", 14,
         ADD("00") NO_MATCH APPLY("0018") "0019 0010 80001604 0a000001" ZERO4,
         OFPBAC_MATCH_INCONSISTENT},
    };
    struct openflow_channel *ch = world_connect();
    struct of_message m = world_flow_mod(OFPFC_ADD, 9, 5, "in_port=1", NULL, 0);

    (void)state;
    assert_int_equal(world_answer(ch, &m), 0);
    check_refused(ch, rows, COUNT(rows));
    assert_int_equal(sw.dp.tables.flow_count, 1);
    for (uint32_t i = 0; i <= 100; i++) {
        m = world_flow_mod(OFPFC_ADD, 1, (uint16_t)i, "", NULL, 0);
        assert_int_equal(world_answer(ch, &m), i < 100 ? 0 : OFPFMFC_TABLE_FULL);
    }
}

#define BUCKET(weight, port, group) "0010" weight port group ZERO4

static void errors_of_groups(void **state)
{
    static const struct refused rows[] = {
        {"cut", 15, "0000 00", OFPBRC_BAD_LEN},
        {"a group", 15, "0000 0000 00000001" BUCKET("0000", ANY, ANY), 0},
        {"one that leads to it", 15,
         "0000 0000 00000002 0018 0000" ANY ANY ZERO4 "0016 0008 00000001", 0},
        {"added twice", 15, "0000 0000 00000001", OFPGMFC_GROUP_EXISTS},
        {"modified, but is not", 15, "0001 0000 00000009", OFPGMFC_UNKNOWN_GROUP},
        {"command", 15, "0003 0000 00000009", OFPGMFC_BAD_COMMAND},
        {"type", 15, "0000 0400 00000009", OFPGMFC_BAD_TYPE},
        {"reserved number", 15, "0000 0000" LARGE, OFPGMFC_INVALID_GROUP},
        {"indirect without a bucket", 15, "0000 0200 00000009", OFPGMFC_INVALID_GROUP},
        {"weight where none is", 15, "0000 0000 00000009" BUCKET("0001", ANY, ANY),
         OFPGMFC_INVALID_GROUP},
        {"failover that watches nothing", 15, "0000 0300 00000009" BUCKET("0000", ANY, ANY),
         OFPGMFC_INVALID_GROUP},
        {"watched port", 15, "0000 0300 00000009" BUCKET("0000", "00000063", ANY),
         OFPGMFC_BAD_WATCH},
        {"watched group", 15, "0000 0300 00000009" BUCKET("0000", ANY, "00000063"),
         OFPGMFC_BAD_WATCH},
        {"bucket shorter than a bucket", 15, "0000 0000 00000009 0008 0000" ZERO4,
         OFPGMFC_BAD_BUCKET},
        {"bucket beyond the end", 15, "0000 0000 00000009 0020 0000" ANY ANY ZERO4,
         OFPGMFC_BAD_BUCKET},
        {"bucket's action", 15, "0000 0000 00000009 0018 0000" ANY ANY ZERO4 "0063 0008" ZERO4,
         OFPBAC_BAD_TYPE},
        {"bucket's group", 15, "0000 0000 00000009 0018 0000" ANY ANY ZERO4 "0016 0008 00000063",
         OFPBAC_BAD_OUT_GROUP},
        {"a loop", 15, "0001 0000 00000001 0018 0000" ANY ANY ZERO4 "0016 0008 00000002",
         OFPGMFC_LOOP},
        {"deleted, but led to", 15, "0002 0000 00000001", OFPGMFC_CHAINED_GROUP},
        {"deleted, but is not", 15, "0002 0000 00000063", 0},
        {"third", 15, "0000 0000 00000003", 0},
        {"fourth", 15, "0000 0000 00000004", 0},
        {"one too many", 15, "0000 0000 00000005", OFPGMFC_OUT_OF_GROUPS},
    };

    (void)state;
    check_refused(world_connect(), rows, COUNT(rows));
}

#define BAND(type, rate, burst) type "0010" rate burst ZERO4
#define DROP                    BAND("0001", "000003e8", ZERO4)

static void errors_of_meters(void **state)
{
    static const struct refused rows[] = {
        {"cut", 29, "0000", OFPBRC_BAD_LEN},
        {"a meter", 29, "0000 0001 00000001" DROP, 0},
        {"added twice", 29, "0000 0001 00000001" DROP, OFPMMFC_METER_EXISTS},
        {"modified, but is not", 29, "0001 0001 00000009" DROP, OFPMMFC_UNKNOWN_METER},
        {"command", 29, "0003 0001 00000009" DROP, OFPMMFC_BAD_COMMAND},
        {"0", 29, "0000 0001 00000000" DROP, OFPMMFC_INVALID_METER},
        {"reserved number", 29, "0000 0001 ffff0001" DROP, OFPMMFC_INVALID_METER},
        {"unknown flags", 29, "0000 0011 00000009" DROP, OFPMMFC_BAD_FLAGS},
        {"two units", 29, "0000 0003 00000009" DROP, OFPMMFC_BAD_FLAGS},
        {"rate", 29, "0000 0001 00000009" BAND("0001", ZERO4, ZERO4), OFPMMFC_BAD_RATE},
        {"burst", 29, "0000 0005 00000009" DROP, OFPMMFC_BAD_BURST},
        {"band", 29, "0000 0001 00000009" BAND("0003", "000003e8", ZERO4), OFPMMFC_BAD_BAND},
        {"band cut", 29, "0000 0001 00000009 0001 0010 000003e8", OFPBRC_BAD_LEN},
        {"bands", 29,
         "0000 0001 00000009" DROP DROP DROP DROP DROP DROP DROP DROP DROP DROP DROP DROP DROP DROP
             DROP DROP DROP,
         OFPMMFC_OUT_OF_BANDS},
        {"deleted, but is not", 29, "0002 0000 00000063", 0},
        {"second", 29, "0000 0001 00000002" DROP, 0},
        {"third", 29, "0000 0001 00000003" DROP, 0},
        {"fourth", 29, "0000 0001 00000004" DROP, 0},
        {"one too many", 29, "0000 0001 00000005" DROP, OFPMMFC_OUT_OF_METERS},
    };

    (void)state;
    check_refused(world_connect(), rows, COUNT(rows));
}

#define FRAME ZERO8 ZERO8

static void errors_of_ports_tables_and_packets(void **state)
{
    static const struct refused rows[] = {
        {"port mod cut", 16, ZERO8, OFPBRC_BAD_LEN},
        {"port", 16, "00000063" ZERO4 ZERO8 ZERO8 ZERO8, OFPPMFC_BAD_PORT},
        {"port's address", 16, "00000001" ZERO4 "0200 0000 0001 0000" ZERO8 ZERO8,
         OFPPMFC_BAD_HW_ADDR},
        {"port's config", 16, "00000001" ZERO4 ZERO8 "00000002 00000002" ZERO8, OFPPMFC_BAD_CONFIG},
        {"port's features", 16, "00000001" ZERO4 ZERO8 ZERO8 "00010000" ZERO4,
         OFPPMFC_BAD_ADVERTISE},
        {"table mod cut", 17, ZERO4, OFPBRC_BAD_LEN},
        {"table's config", 17, "00000000 00000008", OFPTMFC_BAD_CONFIG},
        {"eviction", OFPT_EXPERIMENTER, "4f4e4600 00000780 00000000 00000004", OFPTMFC_BAD_CONFIG},
        {"table property unknown", OFPT_EXPERIMENTER,
         "4f4e4600 00000780 00000000 00000008 0002 0008" ZERO4, OFPTFFC_BAD_TYPE},
        {"table property's length", OFPT_EXPERIMENTER,
         "4f4e4600 00000780 00000000 00000008 0003 0010" ZERO4, OFPTFFC_BAD_LEN},
        {"vacancy upside down", OFPT_EXPERIMENTER,
         "4f4e4600 00000780 00000000 00000008 0003 0008 50100000", OFPTFFC_BAD_ARGUMENT},
        {"vacancy over all", OFPT_EXPERIMENTER,
         "4f4e4600 00000780 00000000 00000008 0003 0008 10650000", OFPTFFC_BAD_ARGUMENT},
        {"packet-out cut", 13, ZERO8, OFPBRC_BAD_LEN},
        {"packet-out's buffer", 13, "00000001 fffffffd 0000" ZERO4 "0000", OFPBRC_BUFFER_UNKNOWN},
        {"packet-out from 0", 13, ANY ZERO4 "0000" ZERO4 "0000" FRAME, OFPBRC_BAD_PORT},
        {"packet-out from a reserved port", 13, ANY "fffffff9 0000" ZERO4 "0000" FRAME,
         OFPBRC_BAD_PORT},
        {"packet-out without a packet", 13, ANY "fffffffd 0000" ZERO4 "0000", OFPBRC_BAD_PACKET},
        {"packet-out's actions beyond the end", 13, ANY "fffffffd 0040" ZERO4 "0000" FRAME,
         OFPBRC_BAD_LEN},
        {"packet-out's action", 13, ANY "fffffffd 0008" ZERO4 "0000 0063 0008" ZERO4 FRAME,
         OFPBAC_BAD_TYPE},
        {"packet-out's port", 13,
         ANY "fffffffd 0010" ZERO4 "0000 0000 0010 00000000 ffff" ZERO4 "0000" FRAME,
         OFPBAC_BAD_OUT_PORT},
        {"packet-out's group", 13, ANY "fffffffd 0008" ZERO4 "0000 0016 0008 00000009" FRAME,
         OFPBAC_BAD_OUT_GROUP},
    };

    (void)state;
    check_refused(world_connect(), rows, COUNT(rows));
}

/* ---- roles and who hears of what (clauses 6.3.6, 7.3.9, 7.3.10) ---- */

static void be(struct openflow_channel *ch, uint32_t role, uint64_t generation)
{
    struct of_message m = {.type = OFPT_ROLE_REQUEST, .role = {role, generation}};

    world_ask(ch, &m);
    assert_int_equal(world_expect(ch, OFPT_ROLE_REPLY).role.role, role);
}

static void a_slave_only_reads(void **state)
{
    static const struct refused rows[] = {
        {"flow mod", 14, ADD("00") NO_MATCH, OFPBRC_IS_SLAVE},
        {"group mod", 15, "0000 0000 00000001", OFPBRC_IS_SLAVE},
        {"port mod", 16, "00000001" ZERO4 ZERO8 ZERO8 ZERO8, OFPBRC_IS_SLAVE},
        {"table mod", 17, ZERO8, OFPBRC_IS_SLAVE},
        {"meter mod", 29, "0000 0001 00000001", OFPBRC_IS_SLAVE},
        {"packet-out", 13, ANY "fffffffd 0000" ZERO4 "0000" FRAME, OFPBRC_IS_SLAVE},
        {"bundle", OFPT_EXPERIMENTER, "4f4e4600 000008fc" ZERO8, OFPBRC_IS_SLAVE},
        {"table mod of 1.4", OFPT_EXPERIMENTER, "4f4e4600 00000780" ZERO8, OFPBRC_IS_SLAVE},
        {"table features", 18,
         "000c 0000" ZERO4 "0040 00" ZERO4 "00" ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8,
         OFPBRC_IS_SLAVE},
    };
    struct openflow_channel *ch = world_connect();
    struct of_message m = {.type = OFPT_BARRIER_REQUEST};

    (void)state;
    be(ch, OFPCR_ROLE_SLAVE, 1);
    check_refused(ch, rows, COUNT(rows));
    world_ask(ch, &m);
    world_expect(ch, OFPT_BARRIER_REPLY);
}

static void who_loses_mastership_hears_why(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();
    struct of_message m = {.type = OFPT_NX_SET_ASYNC_CONFIG2};
    struct of_role_status s;

    (void)state;
    be(one, OFPCR_ROLE_MASTER, 10);
    be(two, OFPCR_ROLE_MASTER, 11);
    s = world_expect(one, OFPT_ONF_ROLE_STATUS).role_status;
    assert_int_equal(s.role, OFPCR_ROLE_SLAVE);
    assert_int_equal(s.reason, OFPCRR_MASTER_REQUEST);
    assert_int_equal(s.generation_id, 11);
    world_silent(two);
    /* A slave that does not want to hear it. */
    be(one, OFPCR_ROLE_MASTER, 12);
    world_expect(two, OFPT_ONF_ROLE_STATUS);
    m.async.given = 1 << 6; /* role status, as slave */
    assert_int_equal(world_answer(one, &m), 0);
    be(two, OFPCR_ROLE_MASTER, 13);
    world_silent(one);
    m = (struct of_message){.type = OFPT_ROLE_REQUEST, .role = {OFPCR_ROLE_MASTER, 12}};
    assert_int_equal(world_answer(one, &m), OFPRRFC_STALE);
}

static void masks_of_asynchronous_messages(void **state)
{
    struct openflow_channel *ch = world_connect();
    struct of_message m = {.type = OFPT_GET_ASYNC_REQUEST}, reply;
    struct of_async_config wanted = {{1, 2}, {3, 4}, {5, 6}, {0, 0}, {0, 0}, 0};

    (void)state;
    world_ask(ch, &m);
    reply = world_expect(ch, OFPT_GET_ASYNC_REPLY);
    assert_int_equal(reply.async.packet_in_mask[0], 1 << OFPR_NO_MATCH | 1 << OFPR_ACTION);
    assert_int_equal(reply.async.packet_in_mask[1], 0);
    assert_int_equal(reply.async.port_status_mask[1], 7);
    assert_int_equal(reply.async.flow_removed_mask[0], 0x1f);
    m = (struct of_message){.type = OFPT_SET_ASYNC, .async = wanted};
    assert_int_equal(world_answer(ch, &m), 0);
    m = (struct of_message){.type = OFPT_NX_SET_ASYNC_CONFIG2};
    m.async.packet_in_mask[1] = 7;
    m.async.given = 1 << 0; /* packet-ins as slave: that alone changes */
    assert_int_equal(world_answer(ch, &m), 0);
    m = (struct of_message){.type = OFPT_GET_ASYNC_REQUEST};
    world_ask(ch, &m);
    reply = world_expect(ch, OFPT_GET_ASYNC_REPLY);
    wanted.packet_in_mask[1] = 7;
    assert_memory_equal(&reply.async, &wanted, sizeof(wanted));
    /* Port status as slave: reasons 2 alone. */
    be(ch, OFPCR_ROLE_SLAVE, 1);
    conns_port_status(sw.dp.ports[1], OFPPR_ADD);
    world_silent(ch);
    conns_port_status(sw.dp.ports[1], OFPPR_MODIFY);
    world_expect(ch, OFPT_PORT_STATUS);
}

/* ---- packets that wait (clauses 6.1.2, 7.4.1) ---- */

static struct openflow_channel *controller_of_packets(uint16_t max_len)
{
    struct openflow_channel *ch = world_connect();
    struct of_action to_controller = {.type = OFPAT_OUTPUT, .output = {OFPP_CONTROLLER, max_len}};
    struct of_message m = world_flow_mod(OFPFC_ADD, 0, 0, "", &to_controller, 1);

    assert_int_equal(world_answer(ch, &m), 0);
    return ch;
}

static struct of_packet_in packet_in(struct openflow_channel *ch, const struct frame *f)
{
    world_frame(1, bytes_of(f->bytes, f->len));
    return world_expect(ch, OFPT_PACKET_IN).packet_in;
}

static struct of_message release(uint32_t buffer, struct of_action *output)
{
    struct of_message m = {.type = OFPT_PACKET_OUT,
                           .packet_out = {.buffer_id = buffer, .in_port = 1}};

    m.packet_out.actions.at = output;
    m.packet_out.actions.count = output ? 1 : 0;
    return m;
}

static void a_packet_waits_for_its_packet_out(void **state)
{
    struct openflow_channel *ch = controller_of_packets(20);
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct of_action output = of_output(2);
    struct of_packet_in in = packet_in(ch, &f);
    struct of_message m;

    (void)state;
    assert_int_not_equal(in.buffer_id, OFP_NO_BUFFER);
    assert_int_equal(in.total_len, f.len);
    assert_int_equal(in.data.len, 20);
    assert_memory_equal(in.data.at, f.bytes, 20);
    m = release(in.buffer_id, &output);
    assert_int_equal(world_answer(ch, &m), 0);
    assert_int_equal(world_sent(2), 1);
    assert_int_equal(world_last_frame().len, f.len);
    assert_memory_equal(world_last_frame().at, f.bytes, f.len);
    assert_int_equal(world_answer(ch, &m), OFPBRC_BUFFER_EMPTY);
    m.packet_out.buffer_id = in.buffer_id + 1;
    assert_int_equal(world_answer(ch, &m), OFPBRC_BUFFER_UNKNOWN);
    m = (struct of_message){.type = OFPT_FEATURES_REQUEST};
    world_ask(ch, &m);
    assert_int_equal(world_expect(ch, OFPT_FEATURES_REPLY).features.n_buffers, 4);
}

static void places_are_bounded(void **state)
{
    struct openflow_channel *ch = controller_of_packets(0);
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct of_packet_in in;
    uint32_t first = packet_in(ch, &f).buffer_id;
    struct of_message m;

    (void)state;
    for (int i = 1; i < 4; i++)
        assert_int_equal(packet_in(ch, &f).data.len, 0);
    in = packet_in(ch, &f); /* no place, and none is a second old */
    assert_int_equal(in.buffer_id, OFP_NO_BUFFER);
    assert_int_equal(in.data.len, f.len);
    m = release(first, NULL); /* dropped: that is one place */
    assert_int_equal(world_answer(ch, &m), 0);
    in = packet_in(ch, &f);
    assert_int_not_equal(in.buffer_id, OFP_NO_BUFFER);
    assert_int_not_equal(in.buffer_id, first);
    assert_int_equal(world_answer(ch, &m), OFPBRC_BUFFER_UNKNOWN); /* it has another id by now */
}

static void a_flow_mod_releases_its_packet(void **state)
{
    struct openflow_channel *ch = controller_of_packets(64);
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct of_action output = of_output(3), bad = of_to_group(9);
    uint32_t buffer = packet_in(ch, &f).buffer_id;
    struct of_message m = world_flow_mod(OFPFC_ADD, 0, 5, "in_port=1", &bad, 1);

    (void)state;
    m.flow_mod.buffer_id = buffer;
    assert_int_equal(world_answer(ch, &m), OFPBAC_BAD_OUT_GROUP); /* the packet still waits */
    assert_int_equal(world_sent(3), 0);
    m = world_flow_mod(OFPFC_ADD, 0, 5, "in_port=1", &output, 1);
    m.flow_mod.buffer_id = buffer;
    assert_int_equal(world_answer(ch, &m), 0);
    assert_int_equal(world_sent(3), 1); /* by the flow that came with it */
    assert_int_equal(world_answer(ch, &m), OFPBRC_BUFFER_EMPTY);
    m = world_flow_mod(OFPFC_DELETE, 0, 5, "in_port=1", NULL, 0);
    m.flow_mod.buffer_id = 12345; /* means nothing */
    assert_int_equal(world_answer(ch, &m), 0);
}

static void whole_packets_for_who_wants_them(void **state)
{
    struct openflow_channel *ch = controller_of_packets(OFPCML_NO_BUFFER);
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct of_packet_in in = packet_in(ch, &f);

    (void)state;
    assert_int_equal(in.buffer_id, OFP_NO_BUFFER);
    assert_int_equal(in.data.len, f.len);
}

/* ---- tables (clause 7.3.5.5) ---- */

static struct of_table_features *ask_features(struct openflow_channel *ch, size_t *count)
{
    static struct of_table_features all[TABLES];
    struct of_message m = {.type = OFPT_MULTIPART_REQUEST};
    bool more = true;

    m.multipart_request.type = OFPMP_TABLE_FEATURES;
    world_ask(ch, &m);
    for (*count = 0; more;) {
        m = world_expect(ch, OFPT_MULTIPART_REPLY);
        more = m.multipart_reply.flags & OFPMPF_REPLY_MORE;
        for (size_t i = 0; i < m.multipart_reply.table_features.count; i++) {
            assert_true(*count < TABLES);
            all[*count] = m.multipart_reply.table_features.at[i];
            all[(*count)++].properties.at = NULL; /* gone with the next message */
        }
    }
    world_silent(ch);
    return all;
}

/* The features of the first table as the switch told them, for asking back. */
static struct of_table_features first_features(struct openflow_channel *ch, struct arena *keep)
{
    struct of_message m = {.type = OFPT_MULTIPART_REQUEST};
    struct of_table_features f;
    struct of_property *copy;
    bool more;

    m.multipart_request.type = OFPMP_TABLE_FEATURES;
    world_ask(ch, &m);
    m = world_expect(ch, OFPT_MULTIPART_REPLY);
    f = m.multipart_reply.table_features.at[0];
    more = m.multipart_reply.flags & OFPMPF_REPLY_MORE;
    copy = arena_array(keep, f.properties.count, sizeof(*copy));
    assert_non_null(copy);
    for (size_t i = 0; i < f.properties.count; i++)
        copy[i] = (struct of_property){f.properties.at[i].type,
                                       arena_copy(keep, f.properties.at[i].data)};
    f.properties.at = copy;
    while (more)
        more = world_expect(ch, OFPT_MULTIPART_REPLY).multipart_reply.flags & OFPMPF_REPLY_MORE;
    return f;
}

static struct of_property *property(struct of_table_features *f, uint16_t type)
{
    for (size_t i = 0; i < f->properties.count; i++)
        if (f->properties.at[i].type == type)
            return &f->properties.at[i];
    fail_msg("property %u is not there", type);
    return NULL;
}

static struct of_message pipeline_of(struct of_table_features *tables, size_t count)
{
    struct of_message m = {.type = OFPT_MULTIPART_REQUEST, .xid = 6};

    m.multipart_request.type = OFPMP_TABLE_FEATURES;
    m.multipart_request.table_features.at = tables;
    m.multipart_request.table_features.count = count;
    return m;
}

static void a_pipeline_of_two_tables(void **state)
{
    static const uint8_t to_seven[] = {7};
    struct openflow_channel *ch = world_connect();
    struct arena keep;
    struct of_table_features tables[2];
    struct of_action output = of_output(2);
    struct of_message m;
    size_t count;

    (void)state;
    arena_init(&keep, 1u << 20);
    tables[0] = tables[1] = first_features(ch, &keep);
    tables[1].properties.at =
        arena_array(&keep, tables[0].properties.count, sizeof(*tables[1].properties.at));
    memcpy(tables[1].properties.at, tables[0].properties.at,
           tables[0].properties.count * sizeof(*tables[0].properties.at));
    tables[1].table_id = 7;
    snprintf(tables[0].name, sizeof(tables[0].name), "classify");
    tables[1].max_entries = 2;
    property(&tables[0], OFPTFPT_NEXT_TABLES)->data = bytes_of(to_seven, 1);
    property(&tables[1], OFPTFPT_NEXT_TABLES)->data = bytes_of(NULL, 0);
    for (uint8_t table = 0; table < 10; table++) {
        m = world_flow_mod(OFPFC_ADD, table, 5, "", &output, 1);
        m.flow_mod.flags = OFPFF_SEND_FLOW_REM;
        assert_int_equal(world_answer(ch, &m), 0);
    }
    m = pipeline_of(tables, 2);
    world_ask(ch, &m);
    m = world_expect(ch, OFPT_MULTIPART_REPLY);
    world_silent(ch); /* no word of the flows that went */
    assert_int_equal(m.multipart_reply.table_features.count, 2);
    assert_string_equal(m.multipart_reply.table_features.at[0].name, "classify");
    assert_int_equal(m.multipart_reply.table_features.at[1].table_id, 7);
    assert_int_equal(m.multipart_reply.table_features.at[1].max_entries, 2);
    assert_int_equal(sw.dp.tables.flow_count, 1); /* that of table 0 */
    m = world_flow_mod(OFPFC_ADD, 5, 5, "", &output, 1);
    assert_int_equal(world_answer(ch, &m), OFPFMFC_BAD_TABLE_ID);
    for (uint16_t i = 0; i < 3; i++) {
        m = world_flow_mod(OFPFC_ADD, 7, i, "", &output, 1);
        assert_int_equal(world_answer(ch, &m), i < 2 ? 0 : OFPFMFC_TABLE_FULL);
    }
    assert_string_equal(ask_features(ch, &count)[0].name, "classify");
    assert_int_equal(count, 2);
    arena_free(&keep);
}

static void pipelines_that_are_refused(void **state)
{
    static const uint8_t back[] = {0}, far[] = {255}, cut[] = {0, 1, 0}, unknown[] = {0, 99, 0, 4};
    static const uint8_t no_field[] = {0x80, 0, 0xfe, 4}, in_port[] = {0x80, 0, 0, 4};
    struct {
        uint16_t type;
        struct bytes data;
        of_error error;
    } rows[] = {
        {OFPTFPT_NEXT_TABLES, bytes_of(back, 1), OFPTFFC_BAD_ARGUMENT},
        {OFPTFPT_NEXT_TABLES, bytes_of(far, 1), OFPTFFC_BAD_ARGUMENT},
        {OFPTFPT_INSTRUCTIONS, bytes_of(cut, 3), OFPTFFC_BAD_LEN},
        {OFPTFPT_INSTRUCTIONS, bytes_of(unknown, 4), OFPTFFC_BAD_ARGUMENT},
        {OFPTFPT_WRITE_ACTIONS, bytes_of(unknown, 4), OFPTFFC_BAD_ARGUMENT},
        {OFPTFPT_MATCH, bytes_of(no_field, 4), OFPTFFC_BAD_ARGUMENT},
        {OFPTFPT_MATCH, bytes_of(no_field, 2), OFPTFFC_BAD_LEN},
        {OFPTFPT_WRITE_SETFIELD, bytes_of(in_port, 4), OFPTFFC_BAD_ARGUMENT},
    };
    struct openflow_channel *ch = world_connect();
    struct arena keep;
    struct of_table_features f, tables[2];
    struct of_message m;
    struct of_property *p;
    size_t count;

    (void)state;
    arena_init(&keep, 1u << 20);
    f = first_features(ch, &keep);
    property(&f, OFPTFPT_NEXT_TABLES)->data = bytes_of(NULL, 0);
    m = pipeline_of(&f, 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes good;

        p = property(&f, rows[i].type);
        good = p->data;
        p->data = rows[i].data;
        assert_int_equal(world_answer(ch, &m), rows[i].error);
        p->data = good;
    }
    f.max_entries = 101;
    assert_int_equal(world_answer(ch, &m), OFPTFFC_BAD_ARGUMENT);
    f.max_entries = 100;
    f.table_id = 255;
    assert_int_equal(world_answer(ch, &m), OFPTFFC_BAD_TABLE);
    f.table_id = 0;
    p = property(&f, OFPTFPT_WILDCARDS);
    p->type = OFPTFPT_MATCH; /* one twice */
    assert_int_equal(world_answer(ch, &m), OFPTFFC_BAD_TYPE);
    p->type = 0xffff;
    assert_int_equal(world_answer(ch, &m), OFPTFFC_BAD_TYPE);
    p->type = OFPTFPT_WILDCARDS;
    f.properties.count--; /* one too few */
    assert_int_equal(world_answer(ch, &m), OFPTFFC_BAD_ARGUMENT);
    f.properties.count++;
    tables[0] = tables[1] = f; /* the same table twice */
    m = pipeline_of(tables, 2);
    assert_int_equal(world_answer(ch, &m), OFPTFFC_BAD_TABLE);
    ask_features(ch, &count);
    assert_int_equal(count, TABLES); /* nothing has changed */
    arena_free(&keep);
}

/* A request in two messages. */
static void a_pipeline_in_parts(void **state)
{
    struct openflow_channel *ch = world_connect();
    struct arena keep;
    struct of_table_features f;
    struct of_message m;
    size_t count;

    (void)state;
    arena_init(&keep, 1u << 20);
    f = first_features(ch, &keep);
    property(&f, OFPTFPT_NEXT_TABLES)->data = bytes_of(NULL, 0);
    m = pipeline_of(&f, 1);
    m.multipart_request.flags = OFPMPF_REQ_MORE;
    assert_int_equal(world_answer(ch, &m), 0);
    m.xid++; /* another one while this is not whole: both are given up */
    assert_int_equal(world_answer(ch, &m), OFPBRC_MULTIPART_BUFFER_OVERFLOW);
    m.xid--;
    assert_int_equal(world_answer(ch, &m), 0);
    f.table_id = 200;
    m.multipart_request.flags = 0;
    world_ask(ch, &m);
    m = world_expect(ch, OFPT_MULTIPART_REPLY);
    assert_int_equal(m.multipart_reply.table_features.count, 2);
    ask_features(ch, &count);
    assert_int_equal(count, 2);
    arena_free(&keep);
}

/* ---- vacancy ---- */

static void fill(struct openflow_channel *ch, uint16_t from, uint16_t to, uint8_t command)
{
    for (uint16_t i = from; i < to; i++) {
        struct of_message m = world_flow_mod(command, 3, i, "", NULL, 0);

        world_ask(ch, &m);
    }
}

static void vacancy_is_told_at_its_thresholds(void **state)
{
    struct openflow_channel *ch = world_connect(), *slave = world_connect();
    struct of_vacancy vacancy = {.down = 20, .up = 40};
    uint8_t room[4];
    struct of_property property_of_3 = of_vacancy_property(&vacancy, room);
    struct of_message m = {.type = OFPT_ONF_TABLE_MOD};

    (void)state;
    be(slave, OFPCR_ROLE_SLAVE, 1);
    m.table_mod = (struct of_table_mod){3, OFPTC_VACANCY_EVENTS, {&property_of_3, 1}};
    assert_int_equal(world_answer(ch, &m), 0);
    fill(ch, 0, 80, OFPFC_ADD); /* 20 % are free */
    world_silent(ch);
    fill(ch, 80, 81, OFPFC_ADD);
    m = world_expect(ch, OFPT_ONF_TABLE_STATUS);
    assert_int_equal(m.table_status.reason, OFPTR_VACANCY_DOWN);
    assert_int_equal(m.table_status.desc.table_id, 3);
    assert_int_equal(m.table_status.desc.config, OFPTC_VACANCY_EVENTS);
    assert_true(of_read_vacancy(&m.table_status.desc.properties.at[0], &vacancy));
    assert_int_equal(vacancy.vacancy, 19);
    fill(ch, 80, 81, OFPFC_DELETE_STRICT); /* back and forth: no more of it */
    fill(ch, 80, 81, OFPFC_ADD);
    world_silent(ch);
    fill(ch, 50, 81, OFPFC_DELETE_STRICT);
    m = world_expect(ch, OFPT_ONF_TABLE_STATUS);
    assert_int_equal(m.table_status.reason, OFPTR_VACANCY_UP);
    assert_true(of_read_vacancy(&m.table_status.desc.properties.at[0], &vacancy));
    assert_int_equal(vacancy.vacancy, 41);
    world_silent(ch);
    world_silent(slave);
    m = (struct of_message){.type = OFPT_MULTIPART_REQUEST};
    m.multipart_request.type = OFPMP_ONF_TABLE_DESC;
    world_ask(ch, &m);
    m = world_expect(ch, OFPT_MULTIPART_REPLY);
    assert_int_equal(m.multipart_reply.table_descs.count, TABLES);
    assert_true(of_read_vacancy(&m.multipart_reply.table_descs.at[3].properties.at[0], &vacancy));
    assert_int_equal(vacancy.down, 20);
    assert_int_equal(vacancy.vacancy, 50);
    assert_int_equal(m.multipart_reply.table_descs.at[2].config, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(errors_of_requests),
        TEST(errors_of_multipart),
        TEST(errors_of_flow_mods),
        TEST(errors_of_groups),
        TEST(errors_of_meters),
        TEST(errors_of_ports_tables_and_packets),
        TEST(a_slave_only_reads),
        TEST(who_loses_mastership_hears_why),
        TEST(masks_of_asynchronous_messages),
        TEST(a_packet_waits_for_its_packet_out),
        TEST(places_are_bounded),
        TEST(a_flow_mod_releases_its_packet),
        TEST(whole_packets_for_who_wants_them),
        TEST(a_pipeline_of_two_tables),
        TEST(pipelines_that_are_refused),
        TEST(a_pipeline_in_parts),
        TEST(vacancy_is_told_at_its_thresholds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
