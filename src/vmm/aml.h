/*
 * aml.h -- writing ACPI machine language: ACPI specification 6.5, clause 20.
 *
 * Terms are written one after another into the caller's buffer. What has a length (a device, a
 * method, a package) is begun and ended; its length is filled in at the end. What does not fit sets
 * `bad`, and the caller asks once. Names are four characters ("_HID"); paths may be longer
 * ("\\_SB_.PWRB").
 */
#ifndef STROWGER_VMM_AML_H
#define STROWGER_VMM_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *at;
    size_t len, size;
    bool bad;
};

/* A place whose length is filled in by the matching end. */
typedef size_t aml_mark;

void aml_bytes(struct aml *a, const void *bytes, size_t n);
void aml_byte(struct aml *a, uint8_t byte);
void aml_path(struct aml *a, const char *path);
void aml_integer(struct aml *a, uint64_t value);
void aml_string(struct aml *a, const char *text);
/* An EISA id like "PNP0501", as an integer (clause 19.3.4). */
void aml_eisa_id(struct aml *a, const char *id);

/* Name(NAME, ...): what is written next is its value. */
void aml_name(struct aml *a, const char *name);

aml_mark aml_device(struct aml *a, const char *name);
aml_mark aml_scope(struct aml *a, const char *path);
aml_mark aml_method(struct aml *a, const char *name, unsigned arguments);
aml_mark aml_package(struct aml *a, unsigned elements);
void aml_end(struct aml *a, aml_mark mark);

/* OperationRegion(NAME, SystemIO, at, size), and Field(REGION, ByteAcc, ...) with one field of one
 * byte that is named FIELD. */
void aml_port_field(struct aml *a, const char *region, uint16_t at, const char *field);

/* Store(FIELD, Local0), and If (Local0 & bit) Notify(DEVICE, value). */
void aml_load_local0(struct aml *a, const char *field);
void aml_notify_if(struct aml *a, uint8_t bit, const char *device, uint8_t value);

/* Name(_CRS, ResourceTemplate() {...}): begun, filled with resources (clause 6.4), ended. */
struct aml_resources {
    uint8_t at[256];
    size_t len;
};

void aml_use_ports(struct aml_resources *r, uint16_t at, uint8_t count);
void aml_use_memory(struct aml_resources *r, uint32_t at, uint32_t size);
/* A global interrupt: edge-triggered and active-high, not shared. */
void aml_use_interrupt(struct aml_resources *r, uint32_t gsi);
void aml_crs(struct aml *a, const struct aml_resources *r);

#endif
