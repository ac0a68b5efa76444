/*
 * hss_csv_test.c -- subscriber files: what is read, and how wrong lines are named.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "hss/csv.h"

#define KEYS "465b5ce8b199b49faa5f0a2ee238a6bc,cd63cb71954a9f4e48a5994e37a02baf"

static char path[] = "/tmp/strowger-csv-test-XXXXXX";
static char complaints[8192];

static void note(const char *message, void *argument)
{
    assert_ptr_equal(argument, complaints);
    strcat(strcat(complaints, message), "\n");
}

static struct hss_csv *open_file(const char *text, size_t len)
{
    struct hss_csv *csv = NULL;
    FILE *f = fopen(path, "w");

    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
    complaints[0] = '\0';
    (void)csv_open(path, &hss_profile_default, note, complaints, &csv);
    return csv;
}

static struct hss_csv *open_text(const char *text)
{
    return open_file(text, strlen(text));
}

/* The complaint, which begins with the file's name and the line. */
static void assert_complaint(const char *text, unsigned line, const char *said)
{
    char expected[1024];
    struct hss_csv *csv = open_text(text);

    if (csv)
        assert_int_equal(csv_check(csv), -EINVAL);
    snprintf(expected, sizeof(expected), "%s:%u: %s\n", path, line, said);
    assert_string_equal(complaints, expected);
    csv_close(csv);
}

static void reads(void **state)
{
    (void)state;
    struct hss_subscriber s;
    struct hss_csv *csv = open_text("\xef\xbb\xbfimsi,K,OPc,apns,msisdn\r\n"
                                    "# the first\r\n"
                                    "001010000000001," KEYS ",\"internet;ims/ipv4\",\r\n"
                                    "\r\n"
                                    "001010000000002, \"465b5ce8b199b49faa5f0a2ee238a6bc\" ,"
                                    " cd63cb71954a9f4e48a5994e37a02baf , , 49171");

    assert_non_null(csv);
    assert_int_equal(csv_check(csv), 2);
    assert_int_equal(csv_next(csv, &s), 1);
    assert_int_equal(csv_line(csv), 3);
    assert_string_equal(s.imsi, "001010000000001");
    assert_int_equal(s.apn_count, 2);
    assert_int_equal(csv_next(csv, &s), 1);
    assert_int_equal(csv_line(csv), 5);
    assert_string_equal(s.msisdn, "49171");
    assert_int_equal(s.apn_count, 1);
    assert_int_equal(csv_next(csv, &s), 0);

    csv_rewind(csv);
    json_t *object = csv_next_json(csv);
    assert_int_equal(json_object_size(object), 4);
    assert_string_equal(json_string_value(json_object_get(object, "apns")), "internet;ims/ipv4");
    json_decref(object);
    object = csv_next_json(csv);
    assert_string_equal(json_string_value(json_object_get(object, "k")),
                        "465b5ce8b199b49faa5f0a2ee238a6bc");
    json_decref(object);
    assert_null(csv_next_json(csv));
    csv_close(csv);
}

static void wrong_headers(void **state)
{
    (void)state;
    assert_null(open_text(""));
    assert_non_null(
        strstr(complaints, ":0: no header line, expected one with names of columns (imsi, k, "));
    assert_null(open_text("imsi,key\n"));
    assert_non_null(strstr(complaints, ":1: 'key' is no column, expected one of imsi, k, opc"));
    assert_null(open_text("\n\nimsi,k,IMSI\n"));
    assert_non_null(strstr(complaints, ":3: column imsi twice"));
    assert_null(open_text("001010000000001," KEYS "\n"));
    assert_non_null(strstr(complaints, ":1: '001010000000001' is no column"));
}

static void wrong_lines(void **state)
{
    (void)state;
    assert_complaint("imsi,k,opc\n001010000000001,465b,cd63cb71954a9f4e48a5994e37a02baf\n", 2,
                     "k: 4 characters, expected 32 hexadecimal digits");
    assert_complaint("imsi,k,opc\n\n#x\n12345," KEYS "\n", 4,
                     "imsi: '12345', expected 6 to 15 digits");
    assert_complaint("imsi,k,opc\n001010000000001," KEYS ",\n", 2,
                     "4 fields, expected 3 as in the header line");
    assert_complaint("imsi,k,opc\n001010000000001\n", 2,
                     "1 fields, expected 3 as in the header line");
    assert_complaint("imsi,k,opc\n\"001010000000001," KEYS "\n", 2,
                     "field 1: a quote that does not end");
    assert_complaint("imsi,k,opc\n001010000000001,,cd63cb71954a9f4e48a5994e37a02baf\n", 2,
                     "k: missing, expected 32 hexadecimal digits");
    assert_complaint("imsi,k,opc\n001010000000001," KEYS "\n001010000000001," KEYS "\n", 3,
                     "imsi: 001010000000001 is on line 2 too");
}

static void several_at_once(void **state)
{
    (void)state;
    char text[8192] = "imsi,k,opc\n";
    size_t lines = 0;

    for (int i = 0; i < 30; i++)
        strcat(text, "1,2,3\n");
    struct hss_csv *csv = open_text(text);
    assert_int_equal(csv_check(csv), -EINVAL);
    assert_int_equal(csv_errors(csv), 30);
    for (const char *p = complaints; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, CSV_MAX_ERRORS + 1);
    assert_non_null(strstr(complaints, "... more errors are not shown"));
    csv_close(csv);
}

static void hostile(void **state)
{
    (void)state;
    struct hss_csv *csv;
    char *big = malloc(20000);

    memset(big, 'x', 20000);
    memcpy(big, "imsi,k,opc\n", 11);
    csv = open_file(big, 20000);
    assert_int_equal(csv_check(csv), -EINVAL);
    assert_non_null(strstr(complaints, ":2: a line of 19989 characters, expected less than 8192"));
    csv_close(csv);
    csv = open_file("imsi,k,opc\n00101\0,2,3\n", 22);
    assert_int_equal(csv_check(csv), -EINVAL);
    assert_non_null(strstr(complaints, ":2: a zero character, expected text"));
    csv_close(csv);
    memset(big, ',', 5000);
    csv = open_file(big, 5000);
    assert_null(csv);
    free(big);

    complaints[0] = '\0';
    assert_int_equal(csv_open("/nowhere/x.csv", &hss_profile_default, note, complaints, &csv),
                     -ENOENT);
    assert_string_equal(complaints,
                        "/nowhere/x.csv:0: cannot be read: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),       cmocka_unit_test(wrong_headers),
        cmocka_unit_test(wrong_lines), cmocka_unit_test(several_at_once),
        cmocka_unit_test(hostile),
    };
    int fd = mkstemp(path);

    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
