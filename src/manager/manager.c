/*
 * manager.c -- the table of functions, the section `manager:`, and small things the manager's files
 * share.
 */
#include <string.h>

#include "manager/inner.h"

const struct manager_function *manager_functions;
size_t manager_function_count;

void manager_set_functions(const struct manager_function *functions, size_t count)
{
    manager_functions = functions;
    manager_function_count = count;
}

const struct manager_function *manager_find_function(const char *name)
{
    for (size_t i = 0; i < manager_function_count; i++) {
        if (strcmp(manager_functions[i].name, name) == 0)
            return &manager_functions[i];
    }
    return NULL;
}

static const struct config_field manager_fields[] = {
    CONFIG_FIELD(struct manager_config, restart, &config_bool,
                 "start a function again that has ended", .fallback = "yes"),
    CONFIG_FIELD(struct manager_config, restart_delay_ms, &config_duration,
                 "before the first time; doubles while it does not stay up", .fallback = "100ms"),
    CONFIG_FIELD(struct manager_config, restart_delay_max_ms, &config_duration, "at most",
                 .fallback = "10s"),
    CONFIG_FIELD(struct manager_config, start_timeout_ms, &config_duration,
                 "by when all functions must be up", .fallback = "10s"),
    CONFIG_FIELD(struct manager_config, log_bytes, &config_size,
                 "of the log file; one older file is kept", .fallback = "16M"),
};

const struct config_schema manager_schema = {
    .name = "manager",
    .help = "how functions are kept running",
    .fields = manager_fields,
    .count = sizeof(manager_fields) / sizeof(manager_fields[0]),
    .size = sizeof(struct manager_config),
};

void text_duration(struct text *t, double seconds)
{
    if (seconds < 100)
        text_add(t, "%.1f s", seconds);
    else if (seconds < 6000)
        text_add(t, "%.0f min", seconds / 60);
    else
        text_add(t, "%.1f h", seconds / 3600);
}
