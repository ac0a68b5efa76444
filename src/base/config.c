/*
 * config.c -- see config.h. libyaml parses the file into a document whose nodes remember their
 * lines; the walker here compares the document with the schema tables. Paths for errors are built
 * on the way down.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/config.h"

#define MAX_FILE_SIZE ((size_t)8 * 1024 * 1024)
#define MEMORY_LIMIT  ((size_t)64 * 1024 * 1024)
#define MAX_DEPTH     16

struct config {
    const char *file;
    yaml_document_t document;
    yaml_node_t *root; /* NULL for an empty file */
    struct arena arena;
    size_t errors;
    struct text *errors_to; /* NULL: standard error */
};

/* Where the walker is: the way from the file's root, for error messages. */
struct path {
    const struct path *up;
    const char *key; /* NULL: a list's element */
    size_t index;
};

static unsigned line_of(const yaml_node_t *node)
{
    return node ? (unsigned)node->start_mark.line + 1 : 1;
}

static void print_path(struct text *t, const struct path *path)
{
    if (!path)
        return;
    print_path(t, path->up);
    if (!path->key)
        text_add(t, "[%zu]", path->index);
    else
        text_add(t, "%s%s", path->up ? "." : "", path->key);
}

__attribute__((format(printf, 4, 5))) static void complain(struct config *config,
                                                           const yaml_node_t *node,
                                                           const struct path *path,
                                                           const char *format, ...)
{
    char line[512];
    struct text t = text_in(line, sizeof(line));
    va_list args;

    if (++config->errors > CONFIG_MAX_ERRORS)
        return;
    text_add(&t, "%s:%u: ", config->file, line_of(node));
    print_path(&t, path);
    text_add(&t, "%s", path ? ": " : "");
    va_start(args, format);
    text_vadd(&t, format, args);
    va_end(args);
    if (config->errors_to)
        text_add(config->errors_to, "%s\n", line);
    else
        fprintf(stderr, "%s\n", line);
}

static yaml_node_t *node_at(const struct config *config, int index)
{
    /* libyaml only reads the document here; its prototype lacks the const. */
    return yaml_document_get_node((yaml_document_t *)(uintptr_t)&config->document, index);
}

static const char *scalar_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* The value of a key in a mapping; NULL when it is not there. */
static yaml_node_t *lookup(const struct config *config, const yaml_node_t *mapping, const char *key)
{
    if (!mapping || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const char *name = scalar_of(node_at(config, pair->key));
        if (name && strcmp(name, key) == 0)
            return node_at(config, pair->value);
    }
    return NULL;
}

static void complain_unknown(struct config *config, const yaml_node_t *key_node, const char *key,
                             const struct path *path, const char *nearest, unsigned steps)
{
    if (nearest && steps <= 2 + strlen(key) / 4)
        complain(config, key_node, path, "no such key '%s' (did you mean '%s'?)", key, nearest);
    else
        complain(config, key_node, path, "no such key '%s'", key);
}

static void check_keys(struct config *config, const yaml_node_t *mapping,
                       const struct config_schema *schema, const struct path *path)
{
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = node_at(config, pair->key);
        const char *key = scalar_of(key_node);
        const char *nearest = NULL;
        unsigned best = WORD_DISTANCE_FAR;
        if (!key) {
            complain(config, key_node, path, "a key must be a word");
            continue;
        }
        for (size_t i = 0; i < schema->count && best > 0; i++) {
            unsigned steps = word_distance(key, schema->fields[i].name);
            if (steps < best) {
                best = steps;
                nearest = schema->fields[i].name;
            }
        }
        if (best > 0)
            complain_unknown(config, key_node, key, path, nearest, best);
    }
}

static void read_section(struct config *config, const yaml_node_t *node,
                         const struct config_schema *schema, const struct path *path,
                         unsigned depth, void *out);

static void read_scalar(struct config *config, const yaml_node_t *node, const char *text,
                        const struct config_field *field, const struct path *path, void *value)
{
    char reason[200];
    struct text why = text_in(reason, sizeof(reason));
    bool ok;

    ok = field->type->parse(field, text, field->type->is_string ? NULL : value, &why);
    if (ok && field->type->is_string) {
        struct bytes copy = arena_copy(&config->arena, bytes_of(text, strlen(text) + 1));
        memcpy(value, &copy.at, sizeof(copy.at));
        ok = copy.at != NULL;
    }
    if (ok)
        return;
    if (why.len > 0)
        complain(config, node, path, "%s", reason);
    else if (field->max > field->min)
        complain(config, node, path, "%s is not %s (%lld..%lld)", text, field->type->expected,
                 (long long)field->min, (long long)field->max);
    else
        complain(config, node, path, "%s is not %s", text, field->type->expected);
}

static void read_value(struct config *config, const yaml_node_t *node,
                       const struct config_field *field, const struct path *path, unsigned depth,
                       void *value)
{
    if (field->schema) {
        read_section(config, node, field->schema, path, depth + 1, value);
        return;
    }
    const char *text = scalar_of(node);
    if (!text)
        complain(config, node, path, "expected %s, found a %s", field->type->expected,
                 node->type == YAML_MAPPING_NODE ? "mapping" : "list");
    else
        read_scalar(config, node, text, field, path, value);
}

static void read_list(struct config *config, const yaml_node_t *node,
                      const struct config_field *field, const struct path *path, unsigned depth,
                      struct config_list *list)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        complain(config, node, path, "expected a list (lines that begin with '- ')");
        return;
    }
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    list->at = count ? arena_array(&config->arena, count, field->size) : NULL;
    if (count > 0 && !list->at) {
        complain(config, node, path, "the file is too large");
        return;
    }
    list->count = count;
    for (size_t i = 0; i < count; i++) {
        struct path element = {.up = path, .index = i};
        read_value(config, node_at(config, node->data.sequence.items.start[i]), field, &element,
                   depth, (uint8_t *)list->at + i * field->size);
    }
}

static void read_field(struct config *config, const yaml_node_t *section,
                       const struct config_field *field, const struct path *up, unsigned depth,
                       void *out)
{
    struct path path = {.up = up, .key = field->name};
    const yaml_node_t *node = section ? lookup(config, section, field->name) : NULL;
    void *value = (uint8_t *)out + field->offset;

    if (!node && field->required) {
        complain(config, section, &path, "is missing: %s", field->help);
    } else if (!node && field->shape == CONFIG_SECTION) {
        read_section(config, NULL, field->schema, &path, depth + 1, value);
    } else if (!node) {
        if (field->shape == CONFIG_SCALAR && field->fallback)
            read_scalar(config, section, field->fallback, field, &path, value);
    } else if (field->shape == CONFIG_LIST) {
        read_list(config, node, field, &path, depth, value);
    } else {
        read_value(config, node, field, &path, depth, value);
    }
}

static void read_section(struct config *config, const yaml_node_t *node,
                         const struct config_schema *schema, const struct path *path,
                         unsigned depth, void *out)
{
    memset(out, 0, schema->size);
    if (depth > MAX_DEPTH) {
        complain(config, node, path, "is nested too deeply");
        return;
    }
    /* `mme:` with nothing behind it is an empty section. */
    if (node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        node = NULL;
    if (node && node->type != YAML_MAPPING_NODE) {
        complain(config, node, path, "expected a section (indented lines 'key: value')");
        return;
    }
    if (node)
        check_keys(config, node, schema, path);
    for (size_t i = 0; i < schema->count; i++)
        read_field(config, node, &schema->fields[i], path, depth, out);
}

int config_read(struct config *config, const char *section, const struct config_schema *schema,
                void *out)
{
    size_t before = config->errors;
    struct path path = {.key = section};

    read_section(config, lookup(config, config->root, section), schema, &path, 0, out);
    return config->errors > before ? -EINVAL : 0;
}

bool config_has(const struct config *config, const char *section)
{
    return lookup(config, config->root, section) != NULL;
}

const char *config_scalar(const struct config *config, const char *key)
{
    return scalar_of(lookup(config, config->root, key));
}

int config_check_sections(struct config *config, const char *const *known)
{
    size_t before = config->errors;

    if (!config->root)
        return 0;
    for (yaml_node_pair_t *pair = config->root->data.mapping.pairs.start;
         pair < config->root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = node_at(config, pair->key);
        const char *key = scalar_of(key_node);
        const char *nearest = NULL;
        unsigned best = WORD_DISTANCE_FAR;
        for (size_t i = 0; key && known[i] && best > 0; i++) {
            unsigned steps = word_distance(key, known[i]);
            if (steps < best) {
                best = steps;
                nearest = known[i];
            }
        }
        if (best > 0)
            complain_unknown(config, key_node, key ? key : "?", NULL, nearest, best);
    }
    return config->errors > before ? -EINVAL : 0;
}

void config_complain(struct config *config, const char *section, const char *key,
                     const char *format, ...)
{
    const yaml_node_t *node = lookup(config, config->root, section);
    struct path outer = {.key = section};
    struct path inner = {.up = &outer, .key = key};
    char message[400];
    va_list args;

    if (key && lookup(config, node, key))
        node = lookup(config, node, key);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    complain(config, node ? node : config->root, key ? &inner : &outer, "%s", message);
}

void config_errors_to(struct config *config, struct text *errors)
{
    config->errors_to = errors;
}

size_t config_error_count(const struct config *config)
{
    return config->errors;
}

const char *config_file(const struct config *config)
{
    return config->file;
}

struct config *config_parse(const char *file, const char *text, size_t len)
{
    struct config *config = calloc(1, sizeof(*config));
    yaml_parser_t parser;

    if (!config || !yaml_parser_initialize(&parser)) {
        free(config);
        return NULL;
    }
    config->file = file;
    arena_init(&config->arena, MEMORY_LIMIT);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &config->document)) {
        fprintf(stderr, "%s:%zu: not YAML: %s\n", file, parser.problem_mark.line + 1,
                parser.problem ? parser.problem : "cannot be parsed");
        yaml_parser_delete(&parser);
        free(config);
        return NULL;
    }
    yaml_parser_delete(&parser);
    config->root = yaml_document_get_root_node(&config->document);
    if (config->root && config->root->type != YAML_MAPPING_NODE) {
        complain(config, config->root, NULL, "expected sections ('mme:', 'hss:' ...)");
        config_free(config);
        return NULL;
    }
    return config;
}

struct config *config_load(const char *file)
{
    FILE *f = fopen(file, "re");
    char *text = f ? malloc(MAX_FILE_SIZE) : NULL;
    struct config *config = NULL;

    if (!text) {
        fprintf(stderr, "%s: cannot be read: %s\n", file, strerror(errno));
    } else {
        size_t len = fread(text, 1, MAX_FILE_SIZE, f);
        if (len == MAX_FILE_SIZE)
            fprintf(stderr, "%s: larger than %zu bytes: not a configuration\n", file,
                    MAX_FILE_SIZE);
        else
            config = config_parse(file, text, len);
    }
    free(text);
    if (f)
        fclose(f);
    return config;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    yaml_document_delete(&config->document);
    arena_free(&config->arena);
    free(config);
}

static void print_schema(const struct config_schema *schema, struct text *t, unsigned indent)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct config_field *f = &schema->fields[i];
        int width = 30 - (int)indent;
        text_add(t, "%*s%-*s # %s", (int)indent, "", width > 0 ? width : 1, f->name, f->help);
        if (f->type)
            text_add(t, "; %s%s", f->shape == CONFIG_LIST ? "a list, each " : "",
                     f->type->expected);
        if (f->max > f->min)
            text_add(t, " (%lld..%lld)", (long long)f->min, (long long)f->max);
        if (f->required)
            text_add(t, "; required");
        else if (f->fallback)
            text_add(t, "; default %s", f->fallback);
        text_add(t, "\n");
        if (f->schema)
            print_schema(f->schema, t, indent + 2);
    }
}

void config_print_reference(const struct config_schema *schema, struct text *t)
{
    text_add(t, "%s:  # %s\n", schema->name, schema->help);
    print_schema(schema, t, 2);
}
