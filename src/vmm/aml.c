/*
 * aml.c -- see aml.h. Opcodes: ACPI 6.5 clause 20.3; resource descriptors: clause 6.4.
 */
#include <string.h>

#include "vmm/aml.h"

enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_WORD = 0x0b,
    AML_DWORD = 0x0c,
    AML_STRING = 0x0d,
    AML_QWORD = 0x0e,
    AML_SCOPE = 0x10,
    AML_BUFFER = 0x11,
    AML_PACKAGE = 0x12,
    AML_METHOD = 0x14,
    AML_DUAL_NAME = 0x2e,
    AML_MULTI_NAME = 0x2f,
    AML_EXTENDED = 0x5b,
    AML_LOCAL0 = 0x60,
    AML_STORE = 0x70,
    AML_AND = 0x7b,
    AML_NOTIFY = 0x86,
    AML_IF = 0xa0,
    AML_EXT_REGION = 0x80,
    AML_EXT_FIELD = 0x81,
    AML_EXT_DEVICE = 0x82,
};

void aml_bytes(struct aml *a, const void *bytes, size_t n)
{
    if (n > a->size - a->len) {
        a->bad = true;
        return;
    }
    memcpy(a->at + a->len, bytes, n);
    a->len += n;
}

void aml_byte(struct aml *a, uint8_t byte)
{
    aml_bytes(a, &byte, 1);
}

/* A path's segments are joined without dots behind a prefix that counts them (clause 20.2.2). */
void aml_path(struct aml *a, const char *path)
{
    size_t segments = 1;

    if (*path == '\\')
        aml_byte(a, (uint8_t)*path++);
    for (const char *at = path; *at; at++)
        segments += *at == '.';
    if (segments == 2)
        aml_byte(a, AML_DUAL_NAME);
    if (segments > 2) {
        aml_byte(a, AML_MULTI_NAME);
        aml_byte(a, (uint8_t)segments);
    }
    for (; *path; path++)
        if (*path != '.')
            aml_byte(a, (uint8_t)*path);
}

static void little_endian(struct aml *a, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        aml_byte(a, (uint8_t)(value >> 8 * i));
}

void aml_integer(struct aml *a, uint64_t value)
{
    unsigned bytes = value > 0xffffffff ? 8 : value > 0xffff ? 4 : value > 0xff ? 2 : 1;
    static const uint8_t prefix[] = {
        [1] = AML_BYTE, [2] = AML_WORD, [4] = AML_DWORD, [8] = AML_QWORD};

    if (value <= 1) {
        aml_byte(a, value ? AML_ONE : AML_ZERO);
        return;
    }
    aml_byte(a, prefix[bytes]);
    little_endian(a, value, bytes);
}

void aml_string(struct aml *a, const char *text)
{
    aml_byte(a, AML_STRING);
    aml_bytes(a, text, strlen(text) + 1);
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
}

void aml_eisa_id(struct aml *a, const char *id)
{
    unsigned letters =
        (unsigned)(id[0] - '@') << 10 | (unsigned)(id[1] - '@') << 5 | (unsigned)(id[2] - '@');
    uint8_t bytes[] = {
        AML_DWORD,
        (uint8_t)(letters >> 8),
        (uint8_t)letters,
        (uint8_t)(hex_digit(id[3]) << 4 | hex_digit(id[4])),
        (uint8_t)(hex_digit(id[5]) << 4 | hex_digit(id[6])),
    };

    aml_bytes(a, bytes, sizeof(bytes));
}

void aml_name(struct aml *a, const char *name)
{
    aml_byte(a, AML_NAME);
    aml_path(a, name);
}

/* ---- what has a length (clause 20.2.4) ---- */

/* Always in three bytes: four bits in the first one, which also says that two follow. */
#define LENGTH_BYTES 3

static aml_mark begin(struct aml *a)
{
    static const uint8_t room[LENGTH_BYTES];
    aml_mark mark = a->len;

    aml_bytes(a, room, sizeof(room));
    return mark;
}

void aml_end(struct aml *a, aml_mark mark)
{
    size_t length = a->len - mark;

    if (a->bad)
        return;
    a->at[mark] = (uint8_t)(2 << 6 | (length & 0xf));
    a->at[mark + 1] = (uint8_t)(length >> 4);
    a->at[mark + 2] = (uint8_t)(length >> 12);
}

aml_mark aml_device(struct aml *a, const char *name)
{
    aml_mark mark;

    aml_byte(a, AML_EXTENDED);
    aml_byte(a, AML_EXT_DEVICE);
    mark = begin(a);
    aml_path(a, name);
    return mark;
}

aml_mark aml_scope(struct aml *a, const char *path)
{
    aml_mark mark;

    aml_byte(a, AML_SCOPE);
    mark = begin(a);
    aml_path(a, path);
    return mark;
}

aml_mark aml_method(struct aml *a, const char *name, unsigned arguments)
{
    aml_mark mark;

    aml_byte(a, AML_METHOD);
    mark = begin(a);
    aml_path(a, name);
    aml_byte(a, (uint8_t)(arguments | 1 << 3)); /* serialized: it has names of its own */
    return mark;
}

aml_mark aml_package(struct aml *a, unsigned elements)
{
    aml_mark mark;

    aml_byte(a, AML_PACKAGE);
    mark = begin(a);
    aml_byte(a, (uint8_t)elements);
    return mark;
}

/* ---- statements ---- */

void aml_port_field(struct aml *a, const char *region, uint16_t at, const char *field)
{
    aml_mark mark;

    aml_byte(a, AML_EXTENDED);
    aml_byte(a, AML_EXT_REGION);
    aml_path(a, region);
    aml_byte(a, 1); /* SystemIO */
    aml_integer(a, at);
    aml_integer(a, 1);
    aml_byte(a, AML_EXTENDED);
    aml_byte(a, AML_EXT_FIELD);
    mark = begin(a);
    aml_path(a, region);
    aml_byte(a, 1); /* ByteAcc, NoLock, Preserve */
    aml_path(a, field);
    aml_byte(a, 8); /* bits */
    aml_end(a, mark);
}

void aml_load_local0(struct aml *a, const char *field)
{
    aml_byte(a, AML_STORE);
    aml_path(a, field);
    aml_byte(a, AML_LOCAL0);
}

void aml_notify_if(struct aml *a, uint8_t bit, const char *device, uint8_t value)
{
    aml_mark mark;

    aml_byte(a, AML_IF);
    mark = begin(a);
    aml_byte(a, AML_AND);
    aml_byte(a, AML_LOCAL0);
    aml_integer(a, bit);
    aml_byte(a, 0); /* the result is kept nowhere */
    aml_byte(a, AML_NOTIFY);
    aml_path(a, device);
    aml_integer(a, value);
    aml_end(a, mark);
}

/* ---- resources ---- */

static void use(struct aml_resources *r, const uint8_t *descriptor, size_t n)
{
    memcpy(r->at + r->len, descriptor, n); /* a device has three at most */
    r->len += n;
}

void aml_use_ports(struct aml_resources *r, uint16_t at, uint8_t count)
{
    uint8_t io[] = {0x47, 1,    (uint8_t)at, (uint8_t)(at >> 8), (uint8_t)at, (uint8_t)(at >> 8),
                    1,    count};

    use(r, io, sizeof(io));
}

static void put_32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

void aml_use_memory(struct aml_resources *r, uint32_t at, uint32_t size)
{
    uint8_t memory[12] = {0x86, 9, 0, 1};

    put_32(memory + 4, at);
    put_32(memory + 8, size);
    use(r, memory, sizeof(memory));
}

void aml_use_interrupt(struct aml_resources *r, uint32_t gsi)
{
    uint8_t interrupt[9] = {0x89, 6, 0, 3 /* consumer, edge */, 1};

    put_32(interrupt + 5, gsi);
    use(r, interrupt, sizeof(interrupt));
}

void aml_crs(struct aml *a, const struct aml_resources *r)
{
    static const uint8_t end[] = {0x79, 0};
    aml_mark mark;

    aml_name(a, "_CRS");
    aml_byte(a, AML_BUFFER);
    mark = begin(a);
    aml_integer(a, r->len + sizeof(end));
    aml_bytes(a, r->at, r->len);
    aml_bytes(a, end, sizeof(end));
    aml_end(a, mark);
}
