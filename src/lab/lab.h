/*
 * lab.h -- eNodeBs and phones in software: the door of the lab.
 *
 * The lab is the other half of an LTE network: it plays eNodeBs towards an MME (S1AP over SCTP,
 * GTP-U) and the phones behind them (NAS with a USIM and real security, IP through a TUN interface
 * of their own), so that a core can be tried, tested and loaded without a radio. The protocols are
 * real end to end; only the air between phone and eNodeB is left out (no RRC, no PDCP).
 */
#ifndef STROWGER_LAB_LAB_H
#define STROWGER_LAB_LAB_H

/* `strowger lab -c FILE`: one process with all eNodeBs and phones of the file's section `lab:`. */
int lab_main(int argc, char **argv);

struct config_schema;
extern const struct config_schema lab_config_schema;

#endif
