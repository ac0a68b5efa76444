/*
 * layout.h -- messages as tables, for the room's own files: messages.c has the rows, codec.c walks
 * them.
 *
 * A layout lists what lies where, in the order of the wire: a number, padding, a name, a match,
 * actions, a list of elements that have a layout of their own. Where a part has a length of its
 * own, a row says where that length stands.
 */
#ifndef STROWGER_WIRE_OPENFLOW_LAYOUT_H
#define STROWGER_WIRE_OPENFLOW_LAYOUT_H

#include "wire/openflow/openflow.h"

enum row_kind {
    ROW_UINT,          /* a number of `wire` bytes, in a C integer of `size` bytes */
    ROW_PAD,           /* `wire` bytes that mean nothing */
    ROW_MAC,           /* 6 bytes */
    ROW_TEXT,          /* `wire` bytes, terminated in C */
    ROW_LENGTH,        /* 2 bytes: the length of the whole element */
    ROW_SIZE,          /* 2 bytes: of the actions to come (packet-out) */
    ROW_MATCH,         /* struct of_match */
    ROW_SIZED_ACTIONS, /* struct of_actions, as long as ROW_SIZE said */
    ROW_ACTIONS,       /* struct of_actions, up to the end */
    ROW_INSTRUCTIONS,  /* struct of_instructions, up to the end */
    ROW_REST,          /* struct bytes: what is left */
    ROW_IGNORE,        /* what is left, which nobody reads (properties of later versions) */
    ROW_LIST,          /* {at, count} of elements of layout `element`, up to the end */
    ROW_STRUCT,        /* a struct inline, of layout `element` */
    ROW_POINTER,       /* the same behind a pointer */
    ROW_SPECIAL,       /* by the functions of `special` */
};

enum row_print { PRINT_DECIMAL, PRINT_HEX, PRINT_PORT, PRINT_NEVER };

struct row;

struct special {
    of_error (*decode)(struct reader *r, void *value, struct arena *arena);
    void (*encode)(struct writer *w, const void *value);
    void (*print)(struct text *t, const void *value);
};

struct layout;

struct row {
    const char *name;
    uint8_t kind;
    uint8_t print;
    uint16_t wire;
    uint16_t offset, size; /* in the C struct */
    bool hides;            /* a value of `usual` is not printed */
    uint64_t usual;
    const char *const *names; /* of an enumeration, NULL ends */
    const struct layout *element;
    const struct special *special;
};

struct layout {
    const struct row *rows;
    uint8_t count;
    /* elements are padded to this; the padding is not in their length. 0: no padding */
    uint8_t align;
    bool has_length;   /* there is a ROW_LENGTH, */
    uint8_t length_at; /* here */
    uint16_t size;     /* of the C struct */
    of_error bad;      /* what answers an element whose length is wrong; 0: BAD_REQUEST/BAD_LEN */
};

struct message_row {
    const char *name;
    const struct layout *layout; /* NULL: no body */
};

struct multipart_row {
    const char *name;
    const struct layout *request, *reply; /* of the body, into struct of_multipart; NULL: no body */
};

/* NULL for what does not exist. */
const struct message_row *of_message_row(uint8_t type);
const struct multipart_row *of_multipart_row(uint16_t type);
extern const struct layout of_multipart_header;

/* The rows of extensions.c, and one of messages.c that they use. */
extern const struct layout of_monitor_cancel_layout, of_role_status_layout, of_onf_table_mod_layout,
    of_table_status_layout, of_async_properties_layout, of_flow_monitors_body, of_flow_updates_body,
    of_table_descs_body, of_property_layout;

/* The layout of a list's elements, when the layout is one list. */
const struct layout *of_list_element(const struct layout *layout);

of_error of_decode_layout(const struct layout *layout, struct reader *r, void *to,
                          struct arena *arena);
void of_encode_layout(const struct layout *layout, struct writer *w, const void *from);
void of_print_layout(const struct layout *layout, struct text *t, const void *from);

#endif
