/*
 * config_test.c -- every type, and above all every error: its line, its path, and what it says.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"

struct cell {
    uint16_t tac;
    const char *name;
};

struct inner {
    uint32_t t3412_ms;
    uint64_t rate;
};

struct sample {
    bool on;
    uint8_t small;
    uint64_t large;
    char word[6];
    const char *text;
    struct in_addr v4;
    struct in6_addr v6;
    struct config_prefix4 pool4;
    struct config_prefix6 pool6;
    struct sockaddr_storage listen;
    uint8_t colour;
    uint8_t key[4];
    uint64_t size;
    struct inner inner;
    struct {
        struct cell *at;
        size_t count;
    } cells;
    struct {
        uint16_t *at;
        size_t count;
    } tacs;
};

static const char *const colours[] = {"red", "green", NULL};

static const struct config_field cell_fields[] = {
    CONFIG_FIELD(struct cell, tac, &config_uint, "tracking area code", .required = true),
    CONFIG_FIELD(struct cell, name, &config_string, "name", .fallback = "cell"),
};
static const struct config_schema cell_schema = {"cell", "a cell", cell_fields, 2,
                                                 sizeof(struct cell)};

static const struct config_field inner_fields[] = {
    CONFIG_FIELD(struct inner, t3412_ms, &config_duration, "periodic update", .fallback = "54min"),
    CONFIG_FIELD(struct inner, rate, &config_bitrate, "rate", .fallback = "50M"),
};
static const struct config_schema inner_schema = {"inner", "more", inner_fields, 2,
                                                  sizeof(struct inner)};

static const struct config_field sample_fields[] = {
    CONFIG_FIELD(struct sample, on, &config_bool, "switch", .fallback = "yes"),
    CONFIG_FIELD(struct sample, small, &config_uint, "a small number", .fallback = "7"),
    CONFIG_FIELD(struct sample, large, &config_uint, "a large number", .min = 5, .max = 1000),
    CONFIG_FIELD(struct sample, word, &config_text, "a word"),
    CONFIG_FIELD(struct sample, text, &config_string, "text"),
    CONFIG_FIELD(struct sample, v4, &config_ipv4, "address"),
    CONFIG_FIELD(struct sample, v6, &config_ipv6, "address"),
    CONFIG_FIELD(struct sample, pool4, &config_prefix4, "pool"),
    CONFIG_FIELD(struct sample, pool6, &config_prefix6, "pool"),
    CONFIG_FIELD(struct sample, listen, &config_endpoint, "endpoint"),
    CONFIG_FIELD(struct sample, colour, &config_enum, "colour", .more = colours),
    CONFIG_FIELD(struct sample, key, &config_hex, "key"),
    CONFIG_FIELD(struct sample, size, &config_size, "size"),
    CONFIG_SUBSECTION(struct sample, inner, &inner_schema, "more"),
    CONFIG_LIST_OF_SECTIONS(struct sample, cells, &cell_schema, "cells"),
    CONFIG_LIST_OF(struct sample, tacs, &config_uint, "areas"),
};
static const struct config_schema schema = {"mme", "a sample", sample_fields,
                                            sizeof(sample_fields) / sizeof(sample_fields[0]),
                                            sizeof(struct sample)};

/* Reads `yaml`, returns the number of errors, and what was printed about them. */
static size_t errors_of(const char *yaml, struct sample *out, char *printed, size_t size)
{
    int saved = dup(STDERR_FILENO);
    FILE *capture = tmpfile();

    assert_non_null(capture);
    dup2(fileno(capture), STDERR_FILENO);
    struct config *config = config_parse("net.yaml", yaml, strlen(yaml));
    size_t errors = 1;
    if (config) {
        config_read(config, "mme", &schema, out);
        errors = config_error_count(config);
        config_free(config);
    }
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(capture);
    size_t n = fread(printed, 1, size - 1, capture);
    printed[n] = '\0';
    fclose(capture);
    return errors;
}

static void every_type_is_read(void **state)
{
    (void)state;
    static const char yaml[] = "mme:\n  on: off\n  small: 0x10\n  large: 1000\n  word: abcde\n"
                               "  text: some words\n  v4: 10.0.0.1\n  v6: 2001:db8::1\n"
                               "  pool4: 10.45.0.0/16\n  pool6: 2001:db8::/48\n"
                               "  listen: '[::1]:36412'\n  colour: Green\n  key: 01ab CD:ef\n"
                               "  size: 8M\n  inner: {t3412_ms: 10s, rate: 1G}\n"
                               "  cells:\n  - tac: 1\n  - {tac: 2, name: two}\n  tacs: [3, 4]\n";
    struct config *config = config_parse("net.yaml", yaml, strlen(yaml));
    struct sample s;

    assert_non_null(config);
    assert_int_equal(config_read(config, "mme", &schema, &s), 0);
    assert_false(s.on);
    assert_int_equal(s.small, 16);
    assert_int_equal(s.large, 1000);
    assert_string_equal(s.word, "abcde");
    assert_string_equal(s.text, "some words");
    assert_int_equal(ntohl(s.v4.s_addr), 0x0a000001);
    assert_int_equal(s.v6.s6_addr[15], 1);
    assert_int_equal(s.pool4.length, 16);
    assert_int_equal(s.pool6.length, 48);
    struct sockaddr_in6 *listen = (struct sockaddr_in6 *)&s.listen;
    assert_int_equal(listen->sin6_family, AF_INET6);
    assert_int_equal(ntohs(listen->sin6_port), 36412);
    assert_int_equal(s.colour, 1);
    assert_memory_equal(s.key, "\x01\xab\xcd\xef", 4);
    assert_int_equal(s.size, 8 << 20);
    assert_int_equal(s.inner.t3412_ms, 10000);
    assert_int_equal(s.inner.rate, 1000000000);
    assert_int_equal(s.cells.count, 2);
    assert_string_equal(s.cells.at[0].name, "cell");
    assert_string_equal(s.cells.at[1].name, "two");
    assert_int_equal(s.tacs.count, 2);
    assert_int_equal(s.tacs.at[1], 4);
    config_free(config);
}

static void what_is_not_there_has_its_default(void **state)
{
    (void)state;
    static const char *const files[] = {"", "hss:\n", "mme:\n", "mme: {}\n"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct sample s;
        char printed[1000];
        assert_int_equal(errors_of(files[i], &s, printed, sizeof(printed)), 0);
        assert_true(s.on);
        assert_int_equal(s.small, 7);
        assert_int_equal(s.inner.t3412_ms, 54 * 60 * 1000);
        assert_int_equal(s.cells.count, 0);
    }
}

static void errors_name_line_path_and_expectation(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *error;
    } cases[] = {
        {"mme:\n  tacs:\n  - 1\n  - 70000\n", "net.yaml:4: mme.tacs[1]: 70000 is not a number\n"},
        {"mme:\n  large: 4\n", "net.yaml:2: mme.large: 4 is not a number (5..1000)\n"},
        {"mme:\n  small: 256\n", "net.yaml:2: mme.small: 256 is not a number\n"},
        {"mme:\n  small: -1\n", "net.yaml:2: mme.small: -1 is not a number\n"},
        {"mme:\n  smal: 1\n", "net.yaml:2: mme: no such key 'smal' (did you mean 'small'?)\n"},
        {"mme:\n  xyzzyplugh: 1\n", "net.yaml:2: mme: no such key 'xyzzyplugh'\n"},
        {"mme:\n  cells:\n  - name: x\n",
         "net.yaml:3: mme.cells[0].tac: is missing: tracking area code\n"},
        {"mme:\n  word: abcdef\n", "net.yaml:2: mme.word: 'abcdef' is longer than 5 characters\n"},
        {"mme:\n  v4: 10.0.0.256\n", "net.yaml:2: mme.v4: 10.0.0.256 is not an IPv4 address\n"},
        {"mme:\n  pool4: 10.0.0.0/33\n",
         "net.yaml:2: mme.pool4: 10.0.0.0/33 is not an IPv4 prefix (10.45.0.0/16)\n"},
        {"mme:\n  listen: 10.0.0.1\n",
         "net.yaml:2: mme.listen: 10.0.0.1 is not an address and port (127.0.0.1:36412)\n"},
        {"mme:\n  colour: blue\n", "net.yaml:2: mme.colour: blue is none of: red green\n"},
        {"mme:\n  key: 0102030g\n", "net.yaml:2: mme.key: expected 8 hexadecimal digits\n"},
        {"mme:\n  inner: 5\n",
         "net.yaml:2: mme.inner: expected a section (indented lines 'key: value')\n"},
        {"mme:\n  inner: {t3412_ms: 10 weeks}\n", "net.yaml:2: mme.inner.t3412_ms: 10 weeks is not "
                                                  "a duration (500ms, 10s, 54min, 2h)\n"},
        {"mme:\n  cells: 1\n",
         "net.yaml:2: mme.cells: expected a list (lines that begin with '- ')\n"},
        {"mme:\n  on: maybe\n", "net.yaml:2: mme.on: maybe is not yes or no\n"},
        {"mme:\n  on: [1]\n", "net.yaml:2: mme.on: expected yes or no, found a list\n"},
        {"- 1\n", "net.yaml:1: expected sections ('mme:', 'hss:' ...)\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s;
        char printed[1000];
        assert_int_equal(errors_of(cases[i].yaml, &s, printed, sizeof(printed)), 1);
        assert_string_equal(printed, cases[i].error);
    }
}

static void broken_yaml_names_its_line(void **state)
{
    (void)state;
    struct sample s;
    char printed[1000];

    errors_of("mme:\n  on: [1\n", &s, printed, sizeof(printed));
    assert_non_null(strstr(printed, "net.yaml:3: not YAML: "));
}

static void all_errors_are_reported(void **state)
{
    (void)state;
    struct sample s;
    char printed[4000];

    assert_int_equal(
        errors_of("mme:\n  on: 1\n  small: x\n  v4: y\n", &s, printed, sizeof(printed)), 3);
}

static void unknown_sections_are_found(void **state)
{
    (void)state;
    static const char *const known[] = {"mme", "hss", NULL};
    static const char yaml[] = "mme:\nhs:\n";
    struct config *config = config_parse("net.yaml", yaml, strlen(yaml));

    assert_int_equal(config_check_sections(config, known), -22);
    assert_true(config_has(config, "mme"));
    assert_false(config_has(config, "hss"));
    config_free(config);
}

static void the_reference_tells_every_key(void **state)
{
    (void)state;
    char buffer[8192];
    struct text t = text_in(buffer, sizeof(buffer));

    config_print_reference(&schema, &t);
    assert_false(t.cut);
    for (size_t i = 0; i < schema.count; i++)
        assert_non_null(strstr(buffer, sample_fields[i].name));
    assert_non_null(strstr(buffer, "default 54min"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(what_is_not_there_has_its_default),
        cmocka_unit_test(errors_name_line_path_and_expectation),
        cmocka_unit_test(broken_yaml_names_its_line),
        cmocka_unit_test(all_errors_are_reported),
        cmocka_unit_test(unknown_sections_are_found),
        cmocka_unit_test(the_reference_tells_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
