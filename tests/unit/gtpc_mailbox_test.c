/*
 * gtpc_mailbox_test.c -- what waits for a context: in order, copied, and not without end.
 */
#include "gtp_unit.h"

#include "link/gtpc_mailbox.h"

static void mail_is_taken_in_order(void **state)
{
    (void)state;
    struct gtpc_mailbox box = {0};
    char content[] = "one";
    struct gtpc_mail *mail;

    assert_null(gtpc_mailbox_take(&box));
    assert_true(gtpc_mailbox_put(&box, 1, 10, 100, bytes_of(content, 3)));
    memcpy(content, "two", 3); /* the first is a copy */
    assert_true(gtpc_mailbox_put(&box, 2, 20, 200, bytes_of(content, 3)));
    assert_true(gtpc_mailbox_put(&box, 3, 30, 0, bytes_of(NULL, 0)));
    assert_true(gtpc_mailbox_has(&box, 2));
    assert_false(gtpc_mailbox_has(&box, 4));
    mail = gtpc_mailbox_take(&box);
    assert_int_equal(mail->kind, 1);
    assert_int_equal(mail->peer, 10);
    assert_int_equal(mail->transaction, 100);
    assert_true(bytes_equal(bytes_of(mail->content, mail->len), bytes_of("one", 3)));
    free(mail);
    mail = gtpc_mailbox_take(&box);
    assert_true(bytes_equal(bytes_of(mail->content, mail->len), bytes_of("two", 3)));
    free(mail);
    mail = gtpc_mailbox_take(&box);
    assert_int_equal(mail->kind, 3);
    assert_int_equal(mail->len, 0);
    free(mail);
    assert_null(gtpc_mailbox_take(&box));
}

static void a_mailbox_holds_a_few(void **state)
{
    (void)state;
    struct gtpc_mailbox box = {0};

    for (int i = 0; i < GTPC_MAILBOX_LIMIT; i++)
        assert_true(gtpc_mailbox_put(&box, 1, 0, 0, bytes_of("x", 1)));
    assert_false(gtpc_mailbox_put(&box, 1, 0, 0, bytes_of("x", 1)));
    free(gtpc_mailbox_take(&box));
    assert_true(gtpc_mailbox_put(&box, 1, 0, 0, bytes_of("x", 1)));
    for (struct gtpc_mail *mail; (mail = gtpc_mailbox_take(&box));)
        free(mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_is_taken_in_order),
        cmocka_unit_test(a_mailbox_holds_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
