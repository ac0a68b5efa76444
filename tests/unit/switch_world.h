/*
 * switch_world.h -- the switch's control side for unit tests: connections whose other end is the
 * test, and ports that remember what they sent. switch_world.c stands in for the channel of
 * link/openflow_channel.c.
 */
#ifndef STROWGER_TESTS_SWITCH_WORLD_H
#define STROWGER_TESTS_SWITCH_WORLD_H

#include "switch_frames.h"
#include "base/base.h"
#include "switch/conn.h"

#define WORLD_PORTS 3

/* cmocka's set-up and tear-down: loop, data path with ports 1 to 3, 100 flows a table, 4 buffers.
 */
int world_open(void **state);
int world_close(void **state);

/* A controller connects, and goes. */
struct openflow_channel *world_connect(void);
void world_disconnect(struct openflow_channel *ch);

/* Bytes that seem to wait in the channel's queue, beside none. */
void world_queue(struct openflow_channel *ch, size_t bytes);
/* The switch gave the connection up. */
bool world_was_dropped(const struct openflow_channel *ch);

/* The controller says something. */
void world_say(struct openflow_channel *ch, struct bytes message);
void world_ask(struct openflow_channel *ch, const struct of_message *m);

/* The next message that it hears; false when there is none. Valid until the next call. */
bool world_hear(struct openflow_channel *ch, struct of_message *m);
/* The next must be of this type, and is returned. */
struct of_message world_expect(struct openflow_channel *ch, uint8_t type);
void world_silent(struct openflow_channel *ch);
/* Runs the loop until there is something to hear, at most 10 seconds. */
void world_wait(const struct openflow_channel *ch);

/* Says or asks, and returns the error that is the only answer; 0: there was none at all. */
of_error world_error_of(struct openflow_channel *ch, struct bytes message);
of_error world_answer(struct openflow_channel *ch, const struct of_message *m);

/* A flow mod with one instruction, apply these actions; it is overwritten by the next call. */
struct of_message world_flow_mod(uint8_t command, uint8_t table, uint16_t priority,
                                 const char *match, struct of_action *actions, size_t count);

/* A frame comes in by a port; how many left by a port since the last call, and the last of them. */
void world_frame(uint32_t port, struct bytes frame);
size_t world_sent(uint32_t port);
struct bytes world_last_frame(void);

#endif
