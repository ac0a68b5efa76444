/*
 * gtpc_mailbox.c -- see gtpc_mailbox.h.
 */
#include <stdlib.h>

#include "link/gtpc_mailbox.h"

bool gtpc_mailbox_put(struct gtpc_mailbox *box, uint8_t kind, uint32_t peer, uint32_t transaction,
                      struct bytes content)
{
    struct gtpc_mail **end = &box->first;
    size_t count = 0;

    for (; *end; end = &(*end)->next)
        count++;
    struct gtpc_mail *mail =
        count < GTPC_MAILBOX_LIMIT ? malloc(sizeof(*mail) + content.len) : NULL;
    if (!mail)
        return false;
    mail->next = NULL;
    mail->kind = kind;
    mail->peer = peer;
    mail->transaction = transaction;
    mail->len = content.len;
    if (content.len > 0)
        memcpy(mail->content, content.at, content.len);
    *end = mail;
    return true;
}

struct gtpc_mail *gtpc_mailbox_take(struct gtpc_mailbox *box)
{
    struct gtpc_mail *mail = box->first;

    if (mail)
        box->first = mail->next;
    return mail;
}

bool gtpc_mailbox_has(const struct gtpc_mailbox *box, uint8_t kind)
{
    for (const struct gtpc_mail *mail = box->first; mail; mail = mail->next)
        if (mail->kind == kind)
            return true;
    return false;
}
