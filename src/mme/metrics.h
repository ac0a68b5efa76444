/*
 * metrics.h -- what the MME counts, and the one line per outcome that it logs.
 */
#ifndef STROWGER_MME_METRICS_H
#define STROWGER_MME_METRICS_H

#include "base/metric.h"
#include "mme/run.h"

/* Counters that are not outcomes of procedures. */
enum mme_counter {
    MME_S1AP_IN,
    MME_S1AP_OUT,
    MME_S1AP_SEND_FAILURES,
    MME_S1AP_MALFORMED,
    MME_ERROR_INDICATIONS_SENT,
    MME_ERROR_INDICATIONS_RECEIVED,
    MME_NAS_IN,
    MME_NAS_OUT,
    MME_NAS_MALFORMED,
    MME_NAS_MAC_FAILURES,
    MME_NAS_UNPROTECTED,
    MME_NAS_NOT_DELIVERED,
    MME_NAS_REPETITIONS,
    MME_NAS_UNEXPECTED,
    MME_PAGING_SENT,
    MME_PAGING_UNANSWERED,
    MME_AUTHENTICATION_FAILURES,
    MME_SYNCH_FAILURES,
    MME_REFUSED_CONGESTION,
    MME_MAIL_OVERFLOWS,
    MME_GAUGE_ENBS,
    MME_GAUGE_UES,
    MME_GAUGE_REGISTERED,
    MME_GAUGE_CONNECTED,
    MME_GAUGE_PROCEDURES,
    MME_GAUGE_SHARED_BYTES,
    MME_COUNTERS
};

extern struct metric mme_counters[MME_COUNTERS];

/* How procedures end. */
enum mme_outcome {
    MME_SUCCEEDED,
    MME_REJECTED, /* we said no: the phone or its subscription is not as it must be */
    MME_FAILED,   /* somebody did not answer, or not as expected */
    MME_ABORTED,  /* something with precedence came */
    MME_OUTCOMES
};

/* Counts the outcome of the running procedure and writes its line: successes and aborts a few a
 * second unless the configuration wants all, the others at most a few a second of each kind. */
__attribute__((format(printf, 3, 4))) void
mme_outcome(const struct mme_ue *ue, enum mme_outcome outcome, const char *format, ...);

/* False when the line of such an outcome would be left out now: what is dear to say need not be put
 * together. */
bool mme_outcome_is_told(const struct mme_ue *ue, enum mme_outcome outcome);

uint64_t mme_outcome_count(enum mme_procedure procedure, enum mme_outcome outcome);

/* Registers everything; forgets all counts. */
void mme_metrics_start(void);

/* Phones in EMM-REGISTERED and ECM-CONNECTED; kept by the code that changes them. */
void mme_count_registered(int change);

#endif
