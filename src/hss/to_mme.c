/*
 * to_mme.c -- what the HSS tells MMEs by itself (TS 29.272 clauses 5.2.1.2, 5.2.2, 5.2.4): that a
 * subscriber has moved on or is no more (Cancel-Location), that its data have changed
 * (Insert-Subscriber-Data), and that the HSS may have forgotten where its subscribers are (Reset).
 *
 * Each is a fiber that waits for the answer. An MME that cannot be reached does not get to know: it
 * will find out at the subscriber's next request to it, which the HSS answers from its own
 * knowledge. So nothing is repeated here; and the number of such fibers is bounded, as a network
 * that loses an MME cancels all its subscribers at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "hss/server.h"

#define MAX_TO_MME 1000u

struct job {
    struct hss *hss;
    uint32_t mme;
    enum s6a_cancellation_type type;
    char imsi[IMSI_SIZE];
};

static struct job *job_new(struct hss *hss, const char *imsi, uint32_t mme)
{
    struct job *job =
        hss->to_mme < MAX_TO_MME && hss_mme(hss, mme) ? calloc(1, sizeof(*job)) : NULL;

    if (!job) {
        hss_count(HSS_TO_MME_FAILED);
        return NULL;
    }
    job->hss = hss;
    job->mme = mme;
    memcpy(job->imsi, imsi, strnlen(imsi, sizeof(job->imsi) - 1));
    hss->to_mme++;
    return job;
}

static void job_spawn(struct job *job, const char *name, void (*function)(void *argument))
{
    if (fiber_spawn(name, function, job))
        return;
    hss_count(HSS_TO_MME_FAILED);
    job->hss->to_mme--;
    free(job);
}

/* Sends the request to the job's MME; true when it has answered with success. */
static bool ask(struct job *job, const struct diameter_message *message,
                struct diameter_request_head *request, struct diameter_answer_head *reply)
{
    const struct hss_mme *mme = hss_mme(job->hss, job->mme);
    struct bytes host = diameter_text_of(mme->host);
    static struct log_limit limit;

    fiber_set_subject(job->imsi);
    request->destination_host = &host;
    request->destination_realm = diameter_text_of(mme->realm);
    int err = diameter_request(job->hss->node, message, request, reply, 0);
    uint32_t result = err == 0 ? diameter_result_of(reply) : 0;
    if (err == 0 && diameter_result_is_success(result))
        return true;
    hss_count(HSS_TO_MME_FAILED);
    log_limited(&limit, LOG_INFO, "%s to %s: %s", message->name, mme->host,
                err < 0 ? strerror(-err) : diameter_result_name(result));
    return false;
}

static void job_end(struct job *job)
{
    job->hss->to_mme--;
    free(job);
}

static void cancel_location(void *argument)
{
    struct job *job = argument;
    uint32_t flags = S6A_CLR_S6A_INDICATOR;
    struct s6a_clr clr = {.cancellation_type = job->type, .clr_flags = &flags};
    struct s6a_cla cla;

    memcpy(clr.imsi, job->imsi, sizeof(clr.imsi));
    (void)ask(job, &s6a_clr_message, &clr.head, &cla.head);
    job_end(job);
}

void hss_send_clr(struct hss *hss, const char *imsi, uint32_t mme, enum s6a_cancellation_type type)
{
    struct job *job = job_new(hss, imsi, mme);

    if (!job)
        return;
    job->type = type;
    hss_count(HSS_CLR);
    job_spawn(job, "cancel location", cancel_location);
}

static void insert_subscriber_data(void *argument)
{
    struct job *job = argument;
    struct hss_profile_place place;
    struct hss_entry *entry;
    struct s6a_idr idr = {0};
    struct s6a_ida ida;

    memcpy(idr.imsi, job->imsi, sizeof(idr.imsi));
    if (cache_get(&job->hss->cache, job->imsi, &entry) == 0) {
        idr.subscription_data = *hss_subscription_data(entry->record, &place);
        (void)ask(job, &s6a_idr_message, &idr.head, &ida.head);
    }
    job_end(job);
}

void hss_send_idr(struct hss *hss, const char *imsi, uint32_t mme)
{
    struct job *job = job_new(hss, imsi, mme);

    if (!job)
        return;
    hss_count(HSS_IDR);
    job_spawn(job, "insert subscriber data", insert_subscriber_data);
}

static void reset(void *argument)
{
    struct job *job = argument;
    struct s6a_rsr rsr = {0};
    struct s6a_rsa rsa;

    if (ask(job, &s6a_rsr_message, &rsr.head, &rsa.head)) {
        struct hss_mme *mme = hss_mme(job->hss, job->mme);
        mme->reset_due = false;
        log_info("%s knows of our restart", mme->host);
    }
    job_end(job);
}

void hss_send_rsr(struct hss *hss, uint32_t mme)
{
    struct job *job = job_new(hss, "", mme);

    if (!job)
        return;
    hss_count(HSS_RSR);
    job_spawn(job, "reset", reset);
}
