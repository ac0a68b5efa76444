/*
 * mme.h -- the door of the MME room: the mobility management entity of an LTE core (TS 23.401
 * clause 4.4.2).
 *
 * It speaks S1AP with eNodeBs, NAS with phones through them, Diameter S6a with the HSS and GTPv2-C
 * S11 with the S-GW. What is done and what is not is in docs/mme.md.
 */
#ifndef STROWGER_MME_MME_H
#define STROWGER_MME_MME_H

#include "base/config.h"

/* `strowger mme -c FILE`. Returns the exit code. */
int mme_main(int argc, char **argv);

/* The section `mme:` of the configuration file, and the struct it is read into (mme/config.h). */
extern const struct config_schema mme_config_schema;

#endif
