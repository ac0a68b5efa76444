/*
 * switch_config.h -- checking what a configuration says of the switch.
 */
#ifndef STROWGER_SWITCH_SWITCH_CONFIG_H
#define STROWGER_SWITCH_SWITCH_CONFIG_H

#include "base/config.h"
#include "switch/switch.h"

/* By enum switch_port_type. */
extern const char *const switch_port_types[];

/* The ports alone, of a struct switch_config. */
extern const struct config_schema switch_added_schema;

/* What only a look at the whole shows. Complains of each error; 0 or -EINVAL. */
int switch_check_config(struct config *config, const struct switch_config *c);

/* The same of one port beside those before it. `whole`: none will come after it, so what it refers
 * to must be among these. */
void switch_check_port(struct config *config, const struct switch_config *c, size_t nth,
                       bool whole);

#endif
