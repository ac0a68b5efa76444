/*
 * openflow_tls.h -- certificates for OpenFlow channels (OpenFlow 1.3.5 clause 6.3).
 *
 * Switch and controller each have a certificate and show it to the other; who has none that an
 * authority in our CA file signed is refused. Names in certificates are not looked at: endpoints
 * are addresses, and the authority is the network's own. TLS 1.2 or later. The files are PEM, as
 * Open vSwitch's tools make and take them (ovs-pki; --private-key, --certificate, --ca-cert). The
 * CA file may also hold the other side's certificate itself: then exactly that one is accepted.
 *
 * A struct openflow_tls is made once and given to openflow_listen() and openflow_connect() in their
 * options, for any number of channels. One thread: the loop's.
 */
#ifndef STROWGER_LINK_OPENFLOW_TLS_H
#define STROWGER_LINK_OPENFLOW_TLS_H

#include "base/config.h"

struct openflow_tls;

/* The section `tls:` of whoever has OpenFlow channels; all NULL when it is not there. */
struct openflow_tls_config {
    const char *certificate; /* shown to the peer; others of its chain may follow in the file */
    const char *private_key; /* of the certificate, without a pass phrase */
    const char *ca;          /* authorities that may sign a peer's certificate */
};

extern const struct config_schema openflow_tls_config_schema;

/* An address of a channel's end, as Open vSwitch writes them: ssl:127.0.0.1:6653 with TLS,
 * tcp:127.0.0.1:6653 or 127.0.0.1:6653 without; without a port it is 6653 (clause 6.3.1). */
struct openflow_endpoint {
    struct sockaddr_storage address;
    bool is_tls;
};

extern const struct config_type openflow_endpoint_type; /* struct openflow_endpoint */

/* Reads the three files. 0, or a negative errno with what to do about it in `why`. */
int openflow_tls_open(struct openflow_tls **tls, const struct openflow_tls_config *config,
                      struct text *why);

/* After the channels that use it are closed; NULL is allowed. */
void openflow_tls_close(struct openflow_tls *tls);

#endif
