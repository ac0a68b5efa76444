/*
 * report.c -- handling of erroneous messages: TS 36.413 clause 10.
 *
 *   transfer syntax error (10.2): the bits make no sense. Error Indication.
 *   abstract syntax error (10.3): the bits are fine, the message is not:
 *     unknown procedure (10.3.4.1): by the procedure's criticality as the sender gave it
 *     IE not understood (10.3.4.2): by the IE's criticality as the sender gave it
 *     IE missing (10.3.5): by the IE's criticality in the specification
 *     IEs out of order or repeated (10.3.6): reject
 *   logical errors (10.4) are for those who run the procedures.
 *
 * An Error Indication is never answered with an Error Indication (8.7.2.1 has it for other
 * messages), or two nodes that do not understand each other would never stop.
 */
#include "wire/s1ap/report.h"

static struct s1ap_cause protocol_error(enum s1ap_cause_protocol value)
{
    return s1ap_cause_protocol(value);
}

/* The faults that are to be reported; false when the arena is full. */
static bool list_faults(const struct aper_decoder *d, struct s1ap_report *report)
{
    struct s1ap_criticality_diagnostics_ie *ies =
        arena_array(d->in.arena, d->fault_count, sizeof(*ies));
    size_t n = 0;

    if (!ies)
        return false;
    for (size_t i = 0; i < d->fault_count; i++) {
        const struct aper_fault *fault = &d->faults[i];
        if (fault->criticality == S1AP_CRITICALITY_IGNORE) {
            report->ignored++;
            continue;
        }
        ies[n++] = (struct s1ap_criticality_diagnostics_ie){
            .ie_criticality = fault->criticality,
            .ie_id = fault->id,
            .type_of_error = fault->missing ? S1AP_ERROR_MISSING : S1AP_ERROR_NOT_UNDERSTOOD};
    }
    report->diagnostics.ies.at = n > 0 ? ies : NULL;
    report->diagnostics.ies.count = n;
    return true;
}

static void judge_faults(struct s1ap_report *report, const struct aper_decoder *d)
{
    bool reject = false;

    if (d->disordered) {
        report->verdict = S1AP_REJECT;
        report->cause =
            protocol_error(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE);
        return;
    }
    for (size_t i = 0; i < report->diagnostics.ies.count; i++)
        if (report->diagnostics.ies.at[i].ie_criticality == S1AP_CRITICALITY_REJECT)
            reject = true;
    if (reject) {
        report->verdict = S1AP_REJECT;
        report->cause = protocol_error(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_REJECT);
    } else if (report->diagnostics.ies.count > 0) {
        report->verdict = S1AP_PROCEED_AND_NOTIFY;
        report->cause = protocol_error(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY);
    }
}

static void judge_unknown_procedure(struct s1ap_report *report)
{
    report->verdict = S1AP_ERROR;
    switch (report->procedure_criticality) {
    case S1AP_CRITICALITY_REJECT:
        report->cause = protocol_error(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_REJECT);
        break;
    case S1AP_CRITICALITY_NOTIFY:
        report->cause = protocol_error(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY);
        break;
    case S1AP_CRITICALITY_IGNORE:
        report->verdict = S1AP_DROP;
        break;
    }
}

int s1ap_judge(struct s1ap_report *report, const struct aper_decoder *d, const struct s1ap_pdu *pdu,
               bool header_read, int err)
{
    if (d->in.no_memory || (d->fault_count > 0 && !list_faults(d, report)))
        err = -ENOMEM;
    if (err == -ENOMEM) {
        report->verdict = S1AP_DROP;
        report->cause = s1ap_cause_misc(S1AP_MISC_CONTROL_PROCESSING_OVERLOAD);
        return err;
    }
    report->procedure_code = pdu->procedure_code;
    report->form = pdu->form;
    report->procedure_criticality = pdu->criticality;
    if (err == -EBADMSG) {
        report->verdict = S1AP_ERROR;
        report->cause = protocol_error(S1AP_PROTOCOL_TRANSFER_SYNTAX_ERROR);
    } else if (err == -ENOTSUP) {
        judge_unknown_procedure(report);
    } else {
        judge_faults(report, d);
    }
    report->error_indication_diagnostics.ies = report->diagnostics.ies;
    if (header_read) {
        report->error_indication_diagnostics.procedure_code = &report->procedure_code;
        report->error_indication_diagnostics.triggering_message = &report->form;
        report->error_indication_diagnostics.procedure_criticality = &report->procedure_criticality;
        if (pdu->procedure_code == S1AP_PROCEDURE_ERROR_INDICATION &&
            report->verdict != S1AP_PROCEED)
            report->verdict = report->verdict == S1AP_PROCEED_AND_NOTIFY ? S1AP_PROCEED : S1AP_DROP;
    }
    return err;
}

const struct s1ap_criticality_diagnostics *
s1ap_response_diagnostics(const struct s1ap_report *report)
{
    return report->diagnostics.ies.count > 0 ? &report->diagnostics : NULL;
}

struct s1ap_error_indication s1ap_error_indication_of(const struct s1ap_pdu *pdu,
                                                      const struct s1ap_report *report)
{
    const struct s1ap_criticality_diagnostics *diagnostics = &report->error_indication_diagnostics;
    bool any = diagnostics->procedure_code || diagnostics->ies.count > 0;

    /* The struct is for building and decoding alike, so its pointers are not to const. */
    return (struct s1ap_error_indication){
        .mme_ue_s1ap_id = (uint32_t *)s1ap_mme_ue_s1ap_id(pdu),
        .enb_ue_s1ap_id = (uint32_t *)s1ap_enb_ue_s1ap_id(pdu),
        .cause = (struct s1ap_cause *)&report->cause,
        .criticality_diagnostics = any ? (struct s1ap_criticality_diagnostics *)diagnostics : NULL,
    };
}

const char *s1ap_verdict_name(enum s1ap_verdict verdict)
{
    static const char *const names[] = {"proceed", "proceed and notify", "reject", "error", "drop"};

    return (unsigned)verdict < APER_COUNT(names) ? names[verdict] : "unknown";
}

static const char *ie_name(const struct s1ap_report *report, uint16_t id)
{
    const struct s1ap_procedure *procedure = s1ap_procedure(report->procedure_code);

    if (!procedure || !procedure->messages[report->form])
        return NULL;
    const struct aper_container *ies = s1ap_messages[procedure->messages[report->form]].ies;
    for (unsigned i = 0; i < ies->count; i++)
        if (ies->rows[i].id == id)
            return ies->rows[i].name;
    return NULL;
}

void s1ap_print_report(struct text *t, const struct s1ap_report *report)
{
    text_add(t, "%s", s1ap_verdict_name(report->verdict));
    if (report->verdict != S1AP_PROCEED && report->verdict != S1AP_DROP) {
        text_add(t, ": ");
        s1ap_print_cause(t, &report->cause);
    }
    for (size_t i = 0; i < report->diagnostics.ies.count && !t->cut; i++) {
        const struct s1ap_criticality_diagnostics_ie *ie = &report->diagnostics.ies.at[i];
        const char *name = ie_name(report, ie->ie_id);
        text_add(t, "%s %s (id %u)", i > 0 ? "," : "",
                 ie->type_of_error == S1AP_ERROR_MISSING ? "missing" : "not understood", ie->ie_id);
        if (name)
            text_add(t, " %s", name);
    }
    if (report->ignored > 0)
        text_add(t, ", %u ignored", report->ignored);
}
