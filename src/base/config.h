/*
 * config.h -- YAML to structs, by tables, with errors that say what to do.
 *
 * One file describes a network; each function reads its own section of it. A section is a C struct
 * and a table (struct config_schema) with one row per key: name, type, place in the struct, bounds,
 * default, and the line that the reference and error messages quote. A wrong value is reported as
 *
 *   FILE:LINE: mme.tacs[0]: 70000 is not a tracking area code (0..65535)
 *
 * All errors of a file are reported, not only the first (up to CONFIG_MAX_ERRORS). Keys that nobody
 * knows are errors and name the nearest key. Strings and lists belong to the config and live until
 * config_free().
 */
#ifndef STROWGER_BASE_CONFIG_H
#define STROWGER_BASE_CONFIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define CONFIG_MAX_ERRORS 20

struct config; /* a loaded file */
struct config_field;

/* How one kind of scalar is read. `parse` gets the scalar's text and fills `value`, or returns
 * false; the error then says "<text> is not <expected>", or what parse wrote into `why` if it wrote
 * something. */
struct config_type {
    /* "a tracking area code (0..65535)"; the bounds of the field are added if it has some */
    const char *expected;
    bool (*parse)(const struct config_field *field, const char *text, void *value,
                  struct text *why);
    /* The member is a const char *, which is set to a copy of the text (owned by the config) when
     * parse, given NULL for the value, accepts it. */
    bool is_string;
};

enum config_shape {
    CONFIG_SCALAR,
    CONFIG_SECTION, /* a mapping: a struct inline, described by `schema` */
    CONFIG_LIST,    /* a sequence: struct config_list of scalars, or of `schema`s when it is set */
};

/* How a list lies in the struct; the same layout as struct { T *at; size_t count; }. */
struct config_list {
    void *at;
    size_t count;
};

struct config_schema;

struct config_field {
    const char *name;
    const char *help;
    enum config_shape shape;
    const struct config_type *type;     /* of the scalar, or of the list's scalars */
    const struct config_schema *schema; /* of the section, or of the list's sections */
    size_t offset;                      /* in the struct that holds it */
    size_t size;                        /* of one value */
    /* the default as it would be written in the file; NULL: zero, or required */
    const char *fallback;
    bool required;
    int64_t min, max; /* of numbers, when max > min */
    const void *more; /* what the type needs besides (names of an enum) */
};

struct config_schema {
    const char *name;
    const char *help;
    const struct config_field *fields;
    size_t count;
    size_t size; /* of the struct */
};

/* Rows: CONFIG_FIELD(struct mme_config, name, &config_string, "what it is", .required = true). */
#define CONFIG_FIELD(struct_type, member, type_of, help_text, ...) \
    CONFIG_FIELD_CALLED(struct_type, #member, member, type_of, help_text, __VA_ARGS__)
/* A row whose key is not the member's name: most often because the member has its unit in its name
 * (heartbeat_ms), while the value in the file brings one of its own (heartbeat: 5s). */
#define CONFIG_FIELD_CALLED(struct_type, key, member, type_of, help_text, ...)               \
    {                                                                                        \
        .name = (key), .help = (help_text), .shape = CONFIG_SCALAR, .type = (type_of),       \
        .offset = offsetof(struct_type, member), .size = sizeof(((struct_type *)0)->member), \
        __VA_ARGS__                                                                          \
    }
#define CONFIG_SUBSECTION(struct_type, member, schema_of, help_text, ...)                     \
    {                                                                                         \
        .name = #member, .help = (help_text), .shape = CONFIG_SECTION, .schema = (schema_of), \
        .offset = offsetof(struct_type, member), .size = sizeof(((struct_type *)0)->member),  \
        __VA_ARGS__                                                                           \
    }
#define CONFIG_LIST_OF(struct_type, member, type_of, help_text, ...)                             \
    {                                                                                            \
        .name = #member, .help = (help_text), .shape = CONFIG_LIST, .type = (type_of),           \
        .offset = offsetof(struct_type, member), .size = sizeof(*((struct_type *)0)->member.at), \
        __VA_ARGS__                                                                              \
    }
#define CONFIG_LIST_OF_SECTIONS(struct_type, member, schema_of, help_text, ...)                  \
    {                                                                                            \
        .name = #member, .help = (help_text), .shape = CONFIG_LIST, .schema = (schema_of),       \
        .offset = offsetof(struct_type, member), .size = sizeof(*((struct_type *)0)->member.at), \
        __VA_ARGS__                                                                              \
    }

/* Types. The member's C type is in the comment. */
extern const struct config_type config_bool;    /* bool: true/false/yes/no/on/off */
extern const struct config_type config_uint;    /* uint8..64_t by the member's size; 10 or 0xa */
extern const struct config_type config_string;  /* const char * (owned by the config) */
extern const struct config_type config_text;    /* char[N]: cut is an error */
extern const struct config_type config_ipv4;    /* struct in_addr */
extern const struct config_type config_ipv6;    /* struct in6_addr */
extern const struct config_type config_prefix4; /* struct config_prefix4: 10.45.0.0/16 */
extern const struct config_type config_prefix6; /* struct config_prefix6: 2001:db8::/48 */
extern const struct config_type
    config_endpoint; /* struct sockaddr_storage: 127.0.0.1:80, [::1]:80 */
extern const struct config_type config_duration; /* uint32_t milliseconds: 500ms, 10s, 54min, 2h */
extern const struct config_type config_bitrate;  /* uint64_t bit/s: 100k, 50M, 1G */
extern const struct config_type config_size;     /* uint64_t bytes: 64k, 8M, 1G */
extern const struct config_type config_enum; /* uint8/32_t index into `more`: names[], NULL ends */
extern const struct config_type config_hex;  /* uint8_t[N]: exactly 2 * N hexadecimal digits */

struct config_prefix4 {
    struct in_addr address;
    uint8_t length;
};

struct config_prefix6 {
    struct in6_addr address;
    uint8_t length;
};

/* Reads and parses the file. On failure prints why (errors go to standard error as FILE:LINE: ...)
 * and returns NULL. */
struct config *config_load(const char *file);
/* The same from memory; `file` is the name that errors quote. */
struct config *config_parse(const char *file, const char *text, size_t len);
void config_free(struct config *config);

/* Fills *out (schema->size bytes) from the top-level mapping `section` of the file; a missing
 * section reads as an empty one. Returns 0 or -EINVAL after printing every error. */
int config_read(struct config *config, const char *section, const struct config_schema *schema,
                void *out);

/* True when the file has that top-level key. */
bool config_has(const struct config *config, const char *section);

/* The top-level scalar `key`, or NULL. */
const char *config_scalar(const struct config *config, const char *key);

/* Reports top-level keys that are not in the list (NULL ends it). 0 or -EINVAL. */
int config_check_sections(struct config *config, const char *const *known);

/* An error about a value that only a look at the whole shows (an address used twice ...), at the
 * line where `section`.`key` stands (key may be NULL). Printed and counted. */
__attribute__((format(printf, 4, 5))) void config_complain(struct config *config,
                                                           const char *section, const char *key,
                                                           const char *format, ...);

/* Errors are written there, a line each, in place of standard error; NULL: as before. */
void config_errors_to(struct config *config, struct text *errors);

size_t config_error_count(const struct config *config);

/* The file's name, as given to config_load(). */
const char *config_file(const struct config *config);

/* Prints the reference of a section: every key, its default and what it means. */
void config_print_reference(const struct config_schema *schema, struct text *t);

#endif
