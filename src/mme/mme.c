/*
 * mme.c -- the process: `strowger mme`. What the MME knows is in context.h, how its procedures run
 * in run.h, and each procedure in the file of its name.
 */
#include <errno.h>
#include <string.h>

#include "base/fiber.h"
#include "base/log.h"
#include "base/process.h"
#include "base/trace.h"
#include "mme/life.h"
#include "mme/metrics.h"
#include "mme/mme.h"
#include "mme/run.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/s6a.h"

#define ARENA_LIMIT (1024 * 1024) /* of one S1AP message */

struct mme mme;

/* ---- Begin and end
 * ------------------------------------------------------------------------------------------ */

static void make_contexts(void)
{
    const struct mme_limits_config *limits = &mme.config.limits;

    arena_init(&mme.arena, ARENA_LIMIT);
    pool_init(&mme.ues, sizeof(struct mme_ue), limits->max_ues);
    /* Connections that are being released live a little longer than their phones' procedures. */
    pool_init(&mme.s1s, sizeof(struct mme_s1), limits->max_ues + limits->max_procedures);
    pool_init(&mme.pdns, sizeof(struct mme_pdn), limits->max_ues * 2);
    pool_init(&mme.bearers, sizeof(struct mme_bearer), limits->max_ues * 2);
    map_init(&mme.ue_by_imsi);
    map_init(&mme.ue_by_m_tmsi);
    map_init(&mme.s1_by_enb_key);
}

int mme_start(struct config *file)
{
    struct mme_config config = mme.config;

    memset(&mme, 0, sizeof(mme));
    mme.config = config;
    int err = mme_config_check(file, &mme.config);
    if (err < 0)
        return err;
    trace_set_printer(TRACE_S1AP, s1ap_trace_printer);
    trace_set_printers(TRACE_NAS, nas_trace_downlink, nas_trace_uplink);
    mme_metrics_start();
    make_contexts();
    if ((err = mme_s11_open()) < 0 || (err = mme_s6a_open()) < 0)
        return err;
    return mme_enb_listen();
}

static void (*stopped_callback)(void);

static void s6a_closed(void *owner)
{
    (void)owner;
    stopped_callback();
}

void mme_stop(void (*stopped)(void))
{
    stopped_callback = stopped;
    mme.is_stopping = true;
    mme_run_cancel_all();
    mme_enb_close();
    mme_s11_close();
    mme_s6a_close(s6a_closed);
}

void mme_free(void)
{
    uint32_t at = 0;

    for (struct mme_s1 *s1 = pool_next(&mme.s1s, &at); s1; s1 = pool_next(&mme.s1s, &at))
        timer_stop(&s1->guard);
    at = 0;
    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at))
        timer_stop(&ue->timer);
    pool_free(&mme.enbs);
    pool_free(&mme.s1s);
    pool_free(&mme.ues);
    pool_free(&mme.pdns);
    pool_free(&mme.bearers);
    map_free(&mme.ue_by_imsi);
    map_free(&mme.ue_by_m_tmsi);
    map_free(&mme.s1_by_enb_key);
    arena_free(&mme.arena);
    mme_shared_free();
}

/* ---- The verb
 * -------------------------------------------------------------------------------------------------
 */

static void stop(void)
{
    mme_stop(process_stopped);
}

int mme_main(int argc, char **argv)
{
    struct process process = {
        .name = "mme",
        .summary = "mobility management entity: eNodeBs and phones (S1AP, NAS, S6a, S11)",
        .examples = "  strowger mme -c examples/operator.yaml\n"
                    "  strowger mme --reference\n",
        .sections = {{"mme", &mme_config_schema, &mme.config}},
        .start = mme_start,
        .stop = stop,
        .state = mme_state,
        .views = mme_views,
        .routes = mme_routes,
        .route_count = mme_route_count,
    };

    return process_main(&process, argc, argv);
}
