/*
 * procedures.h -- inside this room: S1AP's elementary procedures and messages as tables
 * (procedures.c).
 */
#ifndef STROWGER_WIRE_S1AP_PROCEDURES_H
#define STROWGER_WIRE_S1AP_PROCEDURES_H

#include "wire/s1ap/types.h"

#define S1AP_PROCEDURE_COUNT 63

struct s1ap_message_entry {
    const char *name;
    const struct aper_container *ies;
    uint16_t size; /* of the C struct */
    uint8_t procedure_code;
    uint8_t form;
};

extern const struct s1ap_message_entry s1ap_messages[S1AP_MESSAGE_COUNT];

struct s1ap_procedure {
    const char *name; /* NULL: no such procedure */
    enum s1ap_criticality criticality;
    enum s1ap_message messages[3]; /* by form; S1AP_NO_MESSAGE: it has no such message */
};

extern const struct s1ap_procedure s1ap_procedures[S1AP_PROCEDURE_COUNT];

/* NULL when the code is of no known procedure. */
const struct s1ap_procedure *s1ap_procedure(uint8_t code);

#endif
