/*
 * vm_control.c -- see vm_control.h.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "vmm/vm_control.h"

#define DIRECTORY "vm" /* of the sockets, in the run directory */

static struct {
    struct machine *machine;
    void (*stop)(void);
} self;

/* ---- what it tells ---- */

static json_t *describe_cpus(const struct vcpus *vcpus)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < vcpus->count; i++) {
        const struct vcpu *v = &vcpus->at[i];

        json_array_append_new(list,
                              json_pack("{s:i, s:I, s:I, s:I}", "cpu", (int)i, "exits",
                                        (json_int_t)atomic_load(&v->exits), "port_exits",
                                        (json_int_t)atomic_load(&v->port_exits), "memory_exits",
                                        (json_int_t)atomic_load(&v->memory_exits)));
    }
    return list;
}

static json_t *describe_devices(const struct machine *m)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < m->transport_count; i++) {
        struct virtio_device *d = m->transports[i].device;
        bool is_live;

        virtio_lock(d);
        is_live = virtio_is_live(d);
        virtio_unlock(d);
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:s}", "device", d->type->name, "queues",
                                        (int)d->queue_count, "driver", is_live ? "ready" : "none"));
    }
    return list;
}

static json_t *describe(const struct machine *m)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:I, s:f, s:I}", "name", m->config->name, "state",
                     machine_state_names[m->state], "pid", (int)getpid(), "cpus",
                     (int)m->config->cpus, "memory_mib", (json_int_t)(m->config->memory >> 20),
                     "up_s", m->started_us ? (double)(clock_now_us() - m->started_us) / 1e6 : 0.0,
                     "resets", (json_int_t)m->resets);
}

static void get_vm(const struct control_request *request, struct control_answer *answer)
{
    const char *what = control_argument(request, "what");

    if (!what)
        answer->json = describe(self.machine);
    else if (strcmp(what, "cpus") == 0)
        answer->json = describe_cpus(&self.machine->vcpus);
    else if (strcmp(what, "devices") == 0)
        answer->json = describe_devices(self.machine);
    else
        control_refuse(answer, 404, "there is no %s to be told; there are cpus and devices", what);
}

static void get_metrics(const struct control_request *request, struct control_answer *answer)
{
    static char buffer[65536];
    struct text t = text_in(buffer, sizeof(buffer));

    (void)request;
    metric_print(&t);
    answer->content_type = "text/plain; version=0.0.4";
    answer->text = strdup(buffer);
    answer->text_len = strlen(buffer);
}

/* ---- what it does ---- */

static void tell_result(struct control_answer *answer, int err, const char *verb)
{
    if (err < 0)
        control_refuse(answer, 409, "%s: not while the VM is %s", verb,
                       machine_state_names[self.machine->state]);
    else
        answer->json = describe(self.machine);
}

static void pause_vm(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    tell_result(answer, machine_pause(self.machine), "pause");
}

static void resume_vm(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    tell_result(answer, machine_resume(self.machine), "resume");
}

static void reset_vm(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    tell_result(answer, machine_reset(self.machine), "reset");
}

static void stop_vm(const struct control_request *request, struct control_answer *answer)
{
    const char *force = control_argument(request, "force");

    if (force && strcmp(force, "true") == 0)
        self.stop();
    else if (self.machine->state != MACHINE_RUNNING) /* nobody would hear the button */
        return tell_result(answer, -EINVAL, "stop");
    else
        machine_press_button(self.machine);
    answer->json = describe(self.machine);
}

static const struct control_route routes[] = {
    {"GET", "/vm", get_vm},          {"GET", "/metrics", get_metrics},
    {"POST", "/vm/pause", pause_vm}, {"POST", "/vm/resume", resume_vm},
    {"POST", "/vm/reset", reset_vm}, {"POST", "/vm/stop", stop_vm},
};

/* ---- the socket ---- */

static int socket_path(const char *name, bool create, char *path, size_t size)
{
    char directory[256];
    int n, err = process_run_dir(DIRECTORY, create, directory, sizeof(directory));

    if (err < 0)
        return err;
    n = snprintf(path, size, "%s/%s.sock", directory, name);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int vm_control_open(struct machine *machine, void (*stop)(void))
{
    char path[300];
    int err = socket_path(machine->config->name, true, path, sizeof(path));

    if (err < 0)
        return err;
    self.machine = machine;
    self.stop = stop;
    if ((err = control_add_routes(routes, sizeof(routes) / sizeof(routes[0]))) < 0)
        return err;
    return control_open(path);
}

void vm_control_close(void)
{
    control_close();
}

/* ---- the other side ---- */

json_t *vm_control_list(void)
{
    json_t *list = json_array();
    char directory[256], path[300];
    struct dirent *entry;
    DIR *open;

    if (process_run_dir(DIRECTORY, false, directory, sizeof(directory)) < 0 ||
        !(open = opendir(directory)))
        return list;
    while ((entry = readdir(open))) {
        size_t len = strlen(entry->d_name);
        json_t *vm;

        if (len < 6 || strcmp(entry->d_name + len - 5, ".sock") != 0 ||
            snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= (int)sizeof(path))
            continue;
        if ((vm = control_get_json(path, "/vm"))) /* else it has ended, or been killed */
            json_array_append_new(list, vm);
    }
    closedir(open);
    return list;
}

json_t *vm_control_ask(const char *name, const char *method, const char *target)
{
    char path[300], *body = NULL;
    json_t *answer;
    size_t len = 0;
    int status = 0, err = socket_path(name, false, path, sizeof(path));

    if (err < 0 || (err = control_call(path, method, target, NULL, &body, &len, &status)) < 0) {
        if (err == -ENOENT || err == -ECONNREFUSED)
            fprintf(stderr, "strowger: no VM named %s runs (see strowger vm list)\n", name);
        else
            fprintf(stderr, "strowger: %s: %s\n", path, strerror(-err));
        return NULL;
    }
    answer = json_loadb(body, len, JSON_DECODE_ANY, NULL);
    if (status != 200) {
        const char *why = json_string_value(json_object_get(answer, "error"));

        fprintf(stderr, "strowger: %s: %s\n", name, why ? why : body);
        json_decref(answer);
        answer = NULL;
    }
    free(body);
    return answer;
}
