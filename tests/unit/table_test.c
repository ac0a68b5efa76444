/*
 * table_test.c -- JSON as tables for people.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/table.h"

static char *printed(const char *json, struct table_style style)
{
    char *text = NULL;
    size_t size;
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    FILE *to = open_memstream(&text, &size);

    assert_non_null(value);
    table_print(to, value, style);
    fclose(to);
    json_decref(value);
    return text;
}

static void check(const char *json, const char *expected)
{
    char *text = printed(json, (struct table_style){false, 0});

    assert_string_equal(text, expected);
    free(text);
}

static void objects_become_rows(void **state)
{
    (void)state;
    check("[{\"imsi\":\"001010000000001\",\"state\":\"idle\",\"bearers\":1},"
          "{\"imsi\":\"00101\",\"state\":\"connected\",\"bearers\":12}]",
          "IMSI             STATE      BEARERS\n"
          "001010000000001  idle             1\n"
          "00101            connected       12\n");
}

static void what_a_row_lacks_is_a_dash(void **state)
{
    (void)state;
    check("[{\"a\":1},{\"b\":\"x\"},{\"a\":null,\"b\":\"\"}]", "A  B\n"
                                                               "1  -\n"
                                                               "-  x\n"
                                                               "-  -\n");
}

static void every_kind_of_value_is_printed(void **state)
{
    (void)state;
    check("[{\"bool\":true,\"real\":1.5,\"list\":[\"a\",2,false],\"none\":[],\"deep\":{\"x\":[1]},"
          "\"many\":[[1],[2]]}]",
          "BOOL   REAL  LIST    NONE  DEEP       MANY\n"
          "yes   1.500  a,2,no  -     {\"x\":[1]}  [[1],[2]]\n");
}

static void underscores_are_blanks_in_heads(void **state)
{
    (void)state;
    check("[{\"packets_in\":1}]", "PACKETS IN\n         1\n");
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    check("[{\"name\":\"Z\\u00fcrich\",\"n\":1},{\"name\":\"Bern\",\"n\":2}]", "NAME    N\n"
                                                                               "Z\xc3\xbcrich  1\n"
                                                                               "Bern    2\n");
}

static void a_name_cannot_steer_the_terminal(void **state)
{
    (void)state;
    check("[{\"name\":\"a\\u001b[2Jb\\nc\"}]", "NAME\na [2Jb c\n");
}

static void an_object_is_names_and_values_then_its_tables(void **state)
{
    (void)state;
    check("{\"name\":\"x\",\"rows\":[{\"a\":1}],\"longer_name\":2,\"inner\":{\"k\":\"v\"}}",
          "name         x\n"
          "longer_name  2\n"
          "\nrows:\n"
          "A\n1\n"
          "\ninner:\n"
          "k  v\n");
}

static void the_rest_is_plain(void **state)
{
    (void)state;
    check("[]", "none\n");
    check("{}", "");
    check("[\"one\",2]", "one\n2\n");
    check("\"word\"", "word\n");
    check("null", "-\n");
}

static void lines_are_cut_to_the_terminal(void **state)
{
    (void)state;
    char *text = printed(
        "[{\"name\":\"abcdefgh\",\"other\":\"ijkl\"},{\"name\":\"\\u00fc\",\"other\":\"x\"}]",
        (struct table_style){false, 12});

    assert_string_equal(text, "NAME      OT\n"
                              "abcdefgh  ij\n"
                              "\xc3\xbc         x\n");
    free(text);
}

static void heads_are_bold_on_a_terminal(void **state)
{
    (void)state;
    char *text = printed("[{\"a\":1}]", (struct table_style){true, 0});

    assert_string_equal(text, "\033[1mA\033[0m\n1\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_become_rows),
        cmocka_unit_test(what_a_row_lacks_is_a_dash),
        cmocka_unit_test(every_kind_of_value_is_printed),
        cmocka_unit_test(underscores_are_blanks_in_heads),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(a_name_cannot_steer_the_terminal),
        cmocka_unit_test(an_object_is_names_and_values_then_its_tables),
        cmocka_unit_test(the_rest_is_plain),
        cmocka_unit_test(lines_are_cut_to_the_terminal),
        cmocka_unit_test(heads_are_bold_on_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
