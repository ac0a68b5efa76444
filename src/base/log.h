/*
 * log.h -- one line per outcome.
 *
 * A line goes to standard error, with time, process, level and the subject of the running fiber
 * (the IMSI its procedure is about), and into a ring of the last lines that the control socket
 * shows. On a terminal levels have colour. Secrets never go into a line. What hostile input could
 * repeat without end is logged with log_limited(). One thread.
 */
#ifndef STROWGER_BASE_LOG_H
#define STROWGER_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Who speaks (`name` must stay) and up to which level. */
void log_init(const char *name, enum log_level level);

/* "error", "warn", "info", "debug" to a level; 0 or -EINVAL. */
int log_level_parse(const char *name, enum log_level *level);

bool log_is_on(enum log_level level);

__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *format, ...);

/* A place in the code that may speak LOG_BURST times a second; then it counts, and the next line it
 * may write says how many were left out. Zero is its resting state. */
#define LOG_BURST 5

struct log_limit {
    uint64_t second;
    uint32_t spoken;
    uint32_t left_out;
};

__attribute__((format(printf, 3, 4))) void
log_limited(struct log_limit *limit, enum log_level level, const char *format, ...);

/* The lines kept, oldest first: calls `each` with every line (no newline). */
void log_recent(void (*each)(const char *line, void *argument), void *argument);

#endif
