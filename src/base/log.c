/*
 * log.c -- see log.h. The ring keeps the last LOG_LINES lines, cut to LINE_SIZE.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"

#define LOG_LINES 256
#define LINE_SIZE 320

static struct {
    const char *name;
    enum log_level level;
    bool colour;
    char lines[LOG_LINES][LINE_SIZE];
    unsigned next;
} log_context = {.name = "strowger", .level = LOG_INFO};

static const struct {
    const char *name;
    const char *colour;
} levels[] = {
    [LOG_ERROR] = {"error", "\033[31m"},
    [LOG_WARN] = {"warn", "\033[33m"},
    [LOG_INFO] = {"info", ""},
    [LOG_DEBUG] = {"debug", "\033[2m"},
};

void log_init(const char *name, enum log_level level)
{
    log_context.name = name;
    log_context.level = level;
    log_context.colour = isatty(STDERR_FILENO);
}

int log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(levels[i].name, name) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

bool log_is_on(enum log_level level)
{
    return level <= log_context.level;
}

static void speak(enum log_level level, const char *format, va_list args)
{
    char *line = log_context.lines[log_context.next];
    struct text t = text_in(line, LINE_SIZE);
    uint64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm broken_down;
    const char *subject = fiber_subject(NULL);

    localtime_r(&seconds, &broken_down);
    text_add(&t, "%02d:%02d:%02d.%03u %-10s %-5s ", broken_down.tm_hour, broken_down.tm_min,
             broken_down.tm_sec, (unsigned)(now_us / 1000 % 1000), log_context.name,
             levels[level].name);
    if (subject[0])
        text_add(&t, "%s ", subject);
    text_vadd(&t, format, args);
    log_context.next = (log_context.next + 1) % LOG_LINES;
    if (log_context.colour && levels[level].colour[0])
        fprintf(stderr, "%s%s\033[0m\n", levels[level].colour, line);
    else
        fprintf(stderr, "%s\n", line);
}

#define SPEAK_AT(level_of)             \
    va_list args;                      \
    va_start(args, format);            \
    if (log_is_on(level_of))           \
        speak(level_of, format, args); \
    va_end(args)

void log_error(const char *format, ...)
{
    SPEAK_AT(LOG_ERROR);
}

void log_warn(const char *format, ...)
{
    SPEAK_AT(LOG_WARN);
}

void log_info(const char *format, ...)
{
    SPEAK_AT(LOG_INFO);
}

void log_debug(const char *format, ...)
{
    SPEAK_AT(LOG_DEBUG);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
    uint64_t second = clock_now_us() / 1000000;
    char longer[LINE_SIZE];

    if (!log_is_on(level))
        return;
    if (second != limit->second) {
        limit->second = second;
        limit->spoken = 0;
    }
    if (limit->spoken >= LOG_BURST) {
        limit->left_out++;
        return;
    }
    limit->spoken++;
    if (limit->left_out > 0) {
        snprintf(longer, sizeof(longer), "%s (%u more like this were not logged)", format,
                 limit->left_out);
        limit->left_out = 0;
        format = longer;
    }
    va_list args;
    va_start(args, format);
    speak(level, format, args);
    va_end(args);
}

void log_recent(void (*each)(const char *line, void *argument), void *argument)
{
    for (unsigned i = 0; i < LOG_LINES; i++) {
        const char *line = log_context.lines[(log_context.next + i) % LOG_LINES];
        if (line[0])
            each(line, argument);
    }
}
