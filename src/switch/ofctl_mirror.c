/*
 * ofctl_mirror.c -- `strowger switch mirror`: packets of a running switch, as they pass, into a
 * capture file. Also what `drops` (ofctl_drops.c) shares with it: a stream from the switch's
 * control socket (mirror.h), read block by block.
 *
 * A signal or the duration's end tells the switch that it is enough; it then sends what it still
 * has, and what each port lost, and closes. So the file is always whole.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch/ofctl.h"
#include "switch/ofctl_stream.h"
#include "wire/pcapng.h"

#define BLOCK_MAX (1u << 20)

/* For the signal handler. */
static volatile sig_atomic_t stream_fd = -1;

static void enough(int signal)
{
    (void)signal;
    if (stream_fd >= 0)
        shutdown(stream_fd, SHUT_WR);
}

void ofctl_stream_enough(void)
{
    enough(0);
}

/* Handles the whole blocks at the buffer's begin; returns the bytes that they had, or -1 when it is
 * no capture. */
static ssize_t handle_blocks(struct ofctl_stream *s, const uint8_t *at, size_t len)
{
    size_t done = 0;

    while (len - done >= PCAPNG_BLOCK_HEAD) {
        uint32_t head[2];
        struct bytes block, comment;
        struct pcapng_packet packet;
        uint64_t dropped;
        unsigned long long ring = 0, reader = 0;

        memcpy(head, at + done, sizeof(head));
        if (head[1] < 12 || head[1] > BLOCK_MAX || head[1] % 4)
            return -1;
        if (head[1] > len - done)
            break;
        block = bytes_of(at + done, head[1]);
        if (pcapng_read_statistics(block, &dropped, &comment) &&
            sscanf((const char *)comment.at, "lost: ring=%llu reader=%llu", &ring, &reader) == 2) {
            s->ended = true;
            s->lost_in_ring += ring;
            s->lost_by_reader += reader;
        }
        if (pcapng_read_packet(block, &packet, &comment))
            s->packet(s, block, &packet, comment);
        else
            s->other(s, block);
        done += head[1];
    }
    return (ssize_t)done;
}

static int read_all(struct ofctl_stream *s, int fd, uint8_t *buffer)
{
    size_t len = 0;

    for (;;) {
        ssize_t n = read(fd, buffer + len, 2 * BLOCK_MAX - len), done;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : len ? -EPROTO : 0;
        len += (size_t)n;
        if ((done = handle_blocks(s, buffer, len)) < 0)
            return -EPROTO;
        len -= (size_t)done;
        memmove(buffer, buffer + done, len);
        if (s->batch)
            s->batch(s);
    }
}

int ofctl_stream_run(struct ofctl_stream *s, const char *socket, const char *target,
                     unsigned seconds)
{
    struct sigaction end = {.sa_handler = enough};
    char *refusal = NULL;
    int fd = control_open_stream(socket, target, &refusal), err = -ENOMEM;
    uint8_t *buffer;

    if (fd < 0) {
        json_t *answer = refusal ? json_loads(refusal, 0, NULL) : NULL;
        const char *why = json_string_value(json_object_get(answer, "error"));

        ofctl_fail("%s", why ? why : strerror(-fd));
        json_decref(answer);
        free(refusal);
        return 1;
    }
    stream_fd = fd;
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGALRM, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (seconds)
        alarm(seconds);
    if ((buffer = malloc((size_t)2 * BLOCK_MAX)))
        err = read_all(s, fd, buffer);
    alarm(0);
    stream_fd = -1;
    close(fd);
    free(buffer);
    if (err < 0)
        return ofctl_fail("the switch's stream ended: %s", strerror(-err));
    if (!s->ended)
        return ofctl_fail("the switch went away: there may have been more");
    return 0;
}

/* ---- mirror ---- */

struct capture {
    struct ofctl_stream stream;
    FILE *file;
    uint64_t count, most; /* packets; 0: no limit */
    bool failed;          /* the file takes no more */
};

static void put(struct capture *c, struct bytes block)
{
    if (!c->failed && fwrite(block.at, 1, block.len, c->file) != block.len) {
        c->failed = true;
        ofctl_stream_enough();
    }
}

static void put_packet(struct ofctl_stream *s, struct bytes block,
                       const struct pcapng_packet *packet, struct bytes comment)
{
    struct capture *c = container_of(s, struct capture, stream);

    (void)packet;
    (void)comment;
    if (c->most && c->count == c->most)
        return;
    put(c, block);
    c->count += !c->failed;
    if (c->count == c->most)
        ofctl_stream_enough();
}

static void put_other(struct ofctl_stream *s, struct bytes block)
{
    put(container_of(s, struct capture, stream), block);
}

static void put_out(struct ofctl_stream *s)
{
    struct capture *c = container_of(s, struct capture, stream);

    if (!c->failed && fflush(c->file) != 0) {
        c->failed = true;
        ofctl_stream_enough();
    }
}

static void tell(const struct capture *c)
{
    unsigned long long ring = c->stream.lost_in_ring, reader = c->stream.lost_by_reader;

    fprintf(stderr, "%llu packets captured, %llu lost", (unsigned long long)c->count,
            ring + reader);
    if (ring)
        fprintf(stderr, "; %llu because they came faster than the switch writes", ring);
    if (reader)
        fprintf(stderr, "; %llu because the reader was slow", reader);
    fputc('\n', stderr);
}

/* What the words behind the target say. */
struct wanted {
    struct text target;
    char target_room[2048], ports[1024];
    uint64_t count, seconds;
    const char *file;
};

static bool take_number(const char *word, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(word, &end, 10);
    if (end != word && !*end && *word != '-' && *number && !errno && *number <= UINT32_MAX)
        return true;
    ofctl_fail("mirror: '%s' is no number of at least 1", word);
    return false;
}

static bool take_word(struct wanted *w, const char *word)
{
    const char *value = strchr(word, '=');
    uint64_t number;

    if (strcmp(word, "drops") == 0) {
        text_add(&w->target, "&drops=1");
    } else if (strncmp(word, "port=", 5) == 0) {
        size_t used = strlen(w->ports);

        if (snprintf(w->ports + used, sizeof(w->ports) - used, "%s%s", used ? "," : "", word + 5) >=
            (int)(sizeof(w->ports) - used))
            return ofctl_fail("mirror: too many ports"), false;
    } else if (strncmp(word, "direction=", 10) == 0) {
        text_add(&w->target, "&");
        ofctl_escape(&w->target, "direction", word + 10);
    } else if (strncmp(word, "snaplen=", 8) == 0) {
        if (!take_number(word + 8, &number))
            return false;
        text_add(&w->target, "&snaplen=%llu", (unsigned long long)number);
    } else if (strncmp(word, "count=", 6) == 0) {
        return take_number(word + 6, &w->count);
    } else if (strncmp(word, "seconds=", 8) == 0) {
        return take_number(word + 8, &w->seconds);
    } else if (w->file || (value && !strchr(word, '/') && !strchr(word, '.'))) {
        ofctl_fail("mirror: '%s' is not understood", word);
        return false;
    } else {
        w->file = word;
    }
    return true;
}

int ofctl_mirror(const struct ofctl_options *options, const char *socket, int argc, char **argv)
{
    static struct wanted w;
    struct capture c = {.stream = {.packet = put_packet, .other = put_other, .batch = put_out}};
    int code;

    w.target = text_in(w.target_room, sizeof(w.target_room));
    w.count = options->count;
    text_add(&w.target, "/mirror?");
    for (int i = 0; i < argc; i++)
        if (!take_word(&w, argv[i]))
            return 2;
    if (!w.file)
        return ofctl_fail("mirror: where to? a file, or - for the standard output"), 2;
    if (*w.ports) {
        text_add(&w.target, "&");
        ofctl_escape(&w.target, "port", w.ports);
    }
    if (strcmp(w.file, "-") == 0 && isatty(STDOUT_FILENO))
        return ofctl_fail("mirror: a capture is not for a terminal: | tcpdump -r -");
    c.file = strcmp(w.file, "-") == 0 ? stdout : fopen(w.file, "wb");
    if (!c.file)
        return ofctl_fail("%s: %s", w.file, strerror(errno));
    c.most = w.count;
    code = ofctl_stream_run(&c.stream, socket, w.target_room, (unsigned)w.seconds);
    if (c.file != stdout && fclose(c.file) != 0 && code == 0)
        code = ofctl_fail("%s: %s", w.file, strerror(errno));
    if (c.failed && c.file != stdout)
        code = ofctl_fail("%s could not be written whole", w.file);
    if (code == 0)
        tell(&c);
    if (c.failed)
        _exit(code); /* the standard output's reader is gone, and with it what is not flushed */
    return code;
}
