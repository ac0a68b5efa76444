/*
 * hss.h -- the door of the Home Subscriber Server: who may use the network, with which keys, for
 * what, and where they are (TS 23.002 clause 4.1.1.1; S6a of TS 29.272).
 *
 *   hss_main          the function: `strowger hss -c FILE`, section `hss:`
 *   subscriber_main   its tool: `strowger subscriber add|del|list|show|import`
 */
#ifndef STROWGER_HSS_HSS_H
#define STROWGER_HSS_HSS_H

int hss_main(int argc, char **argv);
int subscriber_main(int argc, char **argv);

#endif
