/*
 * oxm.h -- single OXMs, for the room's own files: match.c knows them, set_field (actions.c) uses
 * them.
 */
#ifndef STROWGER_WIRE_OPENFLOW_OXM_H
#define STROWGER_WIRE_OPENFLOW_OXM_H

#include "wire/openflow/openflow.h"

#define OFPMT_OXM 1 /* enum ofp_match_type */

struct oxm {
    const struct of_field *known;
    bool has_mask;
    struct bytes value, mask; /* each known->bytes long */
};

/* 0, OFPBMC_BAD_LEN or OFPBMC_BAD_FIELD. */
of_error of_decode_oxm(struct reader *r, struct oxm *oxm);
/* `value` NULL: the header alone (for experimenter classes with their number), as table features
 * list them. */
void of_encode_oxm(struct writer *w, const struct of_field *f, const uint8_t *value,
                   const uint8_t *mask);

/* True when no bit is set that the field does not have. */
bool of_field_value_ok(const struct of_field *f, const uint8_t *value);

#endif
