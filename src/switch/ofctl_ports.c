/*
 * ofctl_ports.c -- `strowger switch add-port` and `del-port`: ports that come and go while a switch
 * of ours runs. OpenFlow has no message for that; these ask its control socket (ports.h).
 */
#include <stdlib.h>

#include "switch/ofctl.h"

static int ask(const struct ofctl_options *options, const char *socket, const char *target,
               json_t *body, const char *done)
{
    char *text = json_dumps(body, 0), *answered = NULL;
    size_t len = 0;
    int status = 0,
        err = text ? control_call(socket, "POST", target, text, &answered, &len, &status) : -ENOMEM;
    json_t *answer = err < 0 ? NULL : json_loadb(answered, len, 0, NULL);
    const char *why = json_string_value(json_object_get(answer, "error"));
    int result = 0;

    if (err < 0)
        result = ofctl_fail("the switch does not answer (%s)", strerror(-err));
    else if (status != 200)
        result = ofctl_fail("%s", why ? why : "the switch refused");
    else if (options->json)
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    else
        printf("port %lld %s (%s) %s",
               (long long)json_integer_value(json_object_get(answer, "number")),
               json_string_value(json_object_get(answer, "name")),
               json_string_value(json_object_get(answer, "type")), done);
    if (result == 0)
        putchar('\n');
    json_decref(answer);
    json_decref(body);
    free(answered);
    free(text);
    return result;
}

int ofctl_add_port(const struct ofctl_options *options, const char *socket, int argc, char **argv)
{
    json_t *body = json_object();

    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        char key[64];

        if (!equals || (size_t)(equals - argv[i]) >= sizeof(key)) {
            json_decref(body);
            return ofctl_fail("\"%s\" is no KEY=VALUE; the keys are those of switch.ports (see "
                              "strowger switch --reference)",
                              argv[i]);
        }
        snprintf(key, sizeof(key), "%.*s", (int)(equals - argv[i]), argv[i]);
        json_object_set_new(body, key, json_string(equals + 1));
    }
    return ask(options, socket, "/ports", body, "is open");
}

int ofctl_del_port(const struct ofctl_options *options, const char *socket, int argc, char **argv)
{
    (void)argc;
    return ask(options, socket, "/ports/remove", json_pack("{s:s}", "name", argv[0]), "is gone");
}
