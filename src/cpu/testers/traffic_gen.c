/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A generator of memory traffic: requests without data, by a pattern or from a
 * trace, as fast as their period and the number in flight allow.
 *
 *   the period has passed ----> issue ----> response is back
 *          ^      |               |               |
 *          |      +-- all slots --+               v
 *          |          in flight: wait          a slot is free
 *          +--- next request, min_period to max_period later
 *
 * When a request had to wait, an elastic generator counts the next period from
 * the late issue; one that is not elastic tries to make up for the delay.
 * simulate() ends when all generators that have a limit are done.
 */
#include "base/rng.h"
#include "cpu/testers/traffic_trace.h"
#include "mem/port.h"
#include "mem/system.h"
#include "sim/clock.h"
#include "sim/debug.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"
#include "sim/stat.h"

#define EXIT_TRAFFIC_DONE "all traffic generators are done"

enum { HIST_BUCKETS = 20, MAX_IN_FLIGHT = 256 };

enum traffic_mode {
    TRAFFIC_LINEAR,  /* block after block, again from the start at the end */
    TRAFFIC_RANDOM,  /* any block */
    TRAFFIC_STRIDED, /* one block of each stride */
    TRAFFIC_TRACE,
};

struct traffic_gen {
    struct clocked_object base;

    /* Parameters. */
    uint32_t mode;
    uint64_t start, end;
    uint64_t stride;     /* [bytes] */
    uint32_t block_size; /* [bytes] */
    uint32_t rd_perc;
    tick_t min_period, max_period;
    uint64_t data_limit; /* [bytes] */
    uint64_t max_requests;
    uint32_t max_outstanding;
    bool elastic;
    const char *trace_file;
    struct sim_port port;

    /* State. */
    struct rng rng;
    tick_t begin;      /* ticks of a trace count from here */
    tick_t next_issue; /* when the next request wants to go out */
    tick_t last_done;  /* latest response so far */
    uint64_t offset;   /* from start, of the next block */
    uint64_t issued;   /* requests */
    uint64_t issued_bytes;
    tick_t responses[MAX_IN_FLIGHT]; /* heap of in_flight, earliest first */
    uint32_t in_flight;
    bool is_done;

    /* Statistics. */
    uint64_t num_packets, num_retries, retry_ticks;
    uint64_t bytes_read, bytes_written, reads, writes;
    uint64_t read_latency, write_latency; /* [ticks], sums */
    struct stat_dist read_hist, write_hist;

    /* Derived. */
    struct traffic_trace trace;
    struct sim_event event;
    tick_t stats_since;
    uint16_t requestor;
};
SIM_CHECK_BASE(struct traffic_gen);

extern const struct sim_type traffic_gen_type;

static struct traffic_gen *self(const struct sim_object *obj)
{
    return SIM_CAST(struct traffic_gen, traffic_gen_type, obj);
}

/* ------------------------------------------------- what is on its way back */

static void swap_responses(tick_t *heap, uint32_t a, uint32_t b)
{
    tick_t kept = heap[a];

    heap[a] = heap[b];
    heap[b] = kept;
}

static void push_response(struct traffic_gen *gen, tick_t done)
{
    tick_t *heap = gen->responses;
    uint32_t i = gen->in_flight++;

    heap[i] = done;
    for (; i > 0 && heap[(i - 1) / 2] > heap[i]; i = (i - 1) / 2)
        swap_responses(heap, i, (i - 1) / 2);
}

static void pop_response(struct traffic_gen *gen)
{
    tick_t *heap = gen->responses;
    uint32_t len = --gen->in_flight;
    uint32_t i = 0;

    heap[0] = heap[len];
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child + 1 < len && heap[child + 1] < heap[child])
            child++;
        if (child >= len || heap[i] <= heap[child])
            return;
        swap_responses(heap, i, child);
        i = child;
    }
}

/* The first tick from @when on at which a request may go out. */
static tick_t slot_free_at(struct traffic_gen *gen, tick_t when)
{
    while (gen->in_flight > 0 && gen->responses[0] <= when)
        pop_response(gen);
    if (gen->in_flight < gen->max_outstanding || gen->max_outstanding == 0)
        return when;
    return gen->responses[0];
}

/* ----------------------------------------------------------------- patterns */

static uint64_t next_offset(struct traffic_gen *gen)
{
    uint64_t size = gen->end - gen->start;
    uint64_t offset = gen->offset;
    uint64_t step =
        gen->mode == TRAFFIC_STRIDED ? gen->stride : gen->block_size;

    if (gen->mode == TRAFFIC_RANDOM)
        return rng_below(&gen->rng, size / gen->block_size) * gen->block_size;
    gen->offset += step;
    if (gen->offset > size - gen->block_size)
        gen->offset = 0;
    return offset;
}

static bool is_read(struct traffic_gen *gen)
{
    if (gen->rd_perc == 0 || gen->rd_perc == 100)
        return gen->rd_perc == 100;
    return rng_below(&gen->rng, 100) < gen->rd_perc;
}

static struct mem_req next_request(struct traffic_gen *gen)
{
    struct mem_req req = {.core = gen->requestor};

    if (gen->mode == TRAFFIC_TRACE) {
        const struct traffic_request *row = &gen->trace.requests[gen->issued];

        req.addr.v = row->addr;
        req.size = row->size;
        req.kind = row->is_write ? MEM_WRITE : MEM_READ;
        return req;
    }
    req.addr.v = gen->start + next_offset(gen);
    req.size = gen->block_size;
    req.kind = is_read(gen) ? MEM_READ : MEM_WRITE;
    return req;
}

static bool has_limit(const struct traffic_gen *gen)
{
    return gen->mode == TRAFFIC_TRACE || gen->data_limit != 0 ||
           gen->max_requests != 0;
}

static bool is_exhausted(const struct traffic_gen *gen)
{
    if (gen->mode == TRAFFIC_TRACE && gen->issued >= gen->trace.len)
        return true;
    if (gen->max_requests != 0 && gen->issued >= gen->max_requests)
        return true;
    return gen->data_limit != 0 && gen->issued_bytes >= gen->data_limit;
}

/* When the next request wants to go out, after one that waited for @delay. */
static tick_t next_wish(struct traffic_gen *gen, tick_t now, tick_t delay)
{
    tick_t period;

    if (gen->mode == TRAFFIC_TRACE)
        return is_exhausted(gen)
                   ? now
                   : gen->begin + gen->trace.requests[gen->issued].tick;
    period = rng_range(&gen->rng, gen->min_period, gen->max_period);
    if (!gen->elastic)
        period -= delay < period ? delay : period;
    return now + period;
}

/* ------------------------------------------------------------------ running */

static void count(struct traffic_gen *gen, const struct mem_req *req,
                  tick_t latency)
{
    gen->num_packets++;
    if (req->kind == MEM_READ) {
        gen->reads++;
        gen->bytes_read += req->size;
        gen->read_latency += latency;
        stat_hist_sample(&gen->read_hist, (double)latency, 1);
    } else {
        gen->writes++;
        gen->bytes_written += req->size;
        gen->write_latency += latency;
        stat_hist_sample(&gen->write_hist, (double)latency, 1);
    }
}

static void issue(struct traffic_gen *gen, tick_t now)
{
    struct mem_req req = next_request(gen);
    tick_t done = mem_access(&gen->port, &req, now);

    gen->issued++;
    gen->issued_bytes += req.size;
    if (gen->max_outstanding != 0)
        push_response(gen, done);
    if (done > gen->last_done)
        gen->last_done = done;
    count(gen, &req, done - now);
    TRACE(TrafficGen, &gen->base.base, "%s %u bytes at 0x%llx, back at %llu",
          req.kind == MEM_READ ? "read" : "write", req.size,
          (unsigned long long)req.addr.v, (unsigned long long)done);
}

/* Whether no generator with a limit has work left. */
static bool all_done(struct sim *sim)
{
    struct sim_object *root = sim_root(sim);

    for (struct sim_object *obj = root; obj != NULL;
         obj = sim_object_next(root, obj)) {
        const struct traffic_gen *gen;

        if (!sim_object_is_a(obj, &traffic_gen_type))
            continue;
        gen = self(obj);
        if (has_limit(gen) && !gen->is_done)
            return false;
    }
    return true;
}

static void finish(struct traffic_gen *gen)
{
    struct sim *sim = gen->base.base.sim;

    gen->is_done = true;
    if (all_done(sim))
        sim_exit_now(sim, EXIT_TRAFFIC_DONE, 0);
}

static void schedule(struct traffic_gen *gen, tick_t when)
{
    eventq_schedule(sim_eventq(gen->base.base.sim), &gen->event, when);
}

/* After the last request the event waits for the last response. */
static void schedule_next(struct traffic_gen *gen, tick_t now)
{
    tick_t wish = gen->next_issue > now ? gen->next_issue : now;

    if (is_exhausted(gen))
        schedule(gen, gen->last_done > now ? gen->last_done : now);
    else
        schedule(gen, slot_free_at(gen, wish));
}

static void traffic_gen_run(struct sim_event *event, tick_t now)
{
    struct traffic_gen *gen =
        SIM_CONTAINER_OF(event, struct traffic_gen, event);
    tick_t delay = now - gen->next_issue;

    if (is_exhausted(gen)) {
        finish(gen);
        return;
    }
    (void)slot_free_at(gen, now);
    gen->num_retries += delay > 0;
    gen->retry_ticks += delay;
    issue(gen, now);
    gen->next_issue = next_wish(gen, now, delay);
    schedule_next(gen, now);
}

/* --------------------------------------------------------------- life cycle */

static void check_blocks(const struct traffic_gen *gen)
{
    const struct sim_object *obj = &gen->base.base;

    if (gen->end <= gen->start || gen->end - gen->start < gen->block_size)
        sim_fatal_param(obj, "end", "[%#llx, %#llx) has no room for a block",
                        (unsigned long long)gen->start,
                        (unsigned long long)gen->end);
    if (gen->max_period < gen->min_period)
        sim_fatal_param(obj, "max_period", "is less than min_period");
    if (gen->max_period == 0 && gen->max_outstanding == 0)
        sim_fatal_param(obj, "max_outstanding",
                        "a period of 0 needs a limit of requests in flight, "
                        "or time would stand still");
    if (gen->mode == TRAFFIC_STRIDED && gen->stride == 0)
        sim_fatal_param(obj, "stride", "a strided generator needs a stride");
}

static void load_trace(struct traffic_gen *gen)
{
    const struct sim_object *obj = &gen->base.base;
    char why[256];

    if (gen->trace_file == NULL || gen->trace_file[0] == '\0')
        sim_fatal_param(obj, "trace_file", "mode 'trace' needs a file");
    if (traffic_trace_load(&gen->trace, gen->trace_file, why) != 0)
        sim_fatal_param(obj, "trace_file", "%s", why);
}

static void traffic_gen_init(struct sim_object *obj)
{
    struct traffic_gen *gen = self(obj);

    event_init(&gen->event, "traffic", EVENT_PRI_DEFAULT, traffic_gen_run);
    if (gen->mode == TRAFFIC_TRACE)
        load_trace(gen);
    else
        check_blocks(gen);
    gen->requestor = system_add_requestor(system_of(obj), obj, NULL);
    stat_hist_init(&gen->read_hist, HIST_BUCKETS);
    stat_hist_init(&gen->write_hist, HIST_BUCKETS);
}

static void traffic_gen_reset(struct sim_object *obj)
{
    struct traffic_gen *gen = self(obj);

    rng_seed(&gen->rng, rng_u64(sim_rng(obj->sim)));
    gen->begin = sim_now(obj->sim);
    gen->next_issue = gen->begin;
    if (gen->mode == TRAFFIC_TRACE)
        gen->next_issue += gen->trace.requests[0].tick;
}

static void traffic_gen_startup(struct sim_object *obj)
{
    struct traffic_gen *gen = self(obj);

    gen->stats_since = sim_now(obj->sim);
    if (gen->in_flight > MAX_IN_FLIGHT)
        gen->in_flight = MAX_IN_FLIGHT; /* state may come from a file */
    if (!gen->is_done)
        schedule_next(gen, sim_now(obj->sim));
}

static void traffic_gen_reset_stats(struct sim_object *obj)
{
    self(obj)->stats_since = sim_now(obj->sim);
}

static void traffic_gen_fini(struct sim_object *obj)
{
    struct traffic_gen *gen = self(obj);

    eventq_deschedule(sim_eventq(obj->sim), &gen->event);
    traffic_trace_fini(&gen->trace);
    stat_dist_fini(&gen->read_hist);
    stat_dist_fini(&gen->write_hist);
}

/* --------------------------------------------------------------- statistics */

static double per_second(const struct traffic_gen *gen, uint64_t bytes)
{
    tick_t ticks = sim_now(gen->base.base.sim) - gen->stats_since;

    return (double)bytes * (double)TICKS_PER_SECOND / (double)ticks;
}

static double read_bw(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return per_second(self(obj), self(obj)->bytes_read);
}

static double write_bw(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return per_second(self(obj), self(obj)->bytes_written);
}

static double avg_read_latency(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)self(obj)->read_latency / (double)self(obj)->reads;
}

static double avg_write_latency(const struct sim_object *obj, uint32_t index)
{
    (void)index;
    return (double)self(obj)->write_latency / (double)self(obj)->writes;
}

/* ------------------------------------------------------------------- tables */

static const struct sim_ops traffic_gen_ops = {
    .init = traffic_gen_init,
    .reset = traffic_gen_reset,
    .startup = traffic_gen_startup,
    .reset_stats = traffic_gen_reset_stats,
    .fini = traffic_gen_fini,
};

static const char *const modes[] = {
    [TRAFFIC_LINEAR] = "linear",
    [TRAFFIC_RANDOM] = "random",
    [TRAFFIC_STRIDED] = "strided",
    [TRAFFIC_TRACE] = "trace",
    NULL,
};

static const struct sim_param traffic_gen_params[] = {
    SIM_PARAM(struct traffic_gen, mode, "linear", "",
              "Order of addresses; 'trace' takes everything from trace_file",
              .names = modes),
    SIM_PARAM(struct traffic_gen, start, "0", "addr", "First address"),
    SIM_PARAM(struct traffic_gen, end, "128MiB", "addr",
              "One past the last address"),
    SIM_PARAM(struct traffic_gen, block_size, "64", "bytes", "Of each request",
              .min = 1, .max = 4096),
    SIM_PARAM(struct traffic_gen, stride, "0", "bytes",
              "From one request to the next; mode 'strided' only"),
    SIM_PARAM(struct traffic_gen, rd_perc, "100", "%",
              "Share of reads; the others are writes", .max = 100),
    SIM_PARAM(struct traffic_gen, min_period, "10ns", "ticks",
              "Least time between requests"),
    SIM_PARAM(struct traffic_gen, max_period, "10ns", "ticks",
              "Most time between requests; periods are uniformly random"),
    SIM_PARAM(struct traffic_gen, data_limit, "0", "bytes",
              "Done after so many bytes; 0: no limit"),
    SIM_PARAM(struct traffic_gen, max_requests, "0", "",
              "Done after so many requests; 0: no limit"),
    SIM_PARAM(struct traffic_gen, max_outstanding, "16", "",
              "Requests in flight; 0: no limit", .max = MAX_IN_FLIGHT),
    SIM_PARAM(struct traffic_gen, elastic, "False", "",
              "A request that had to wait delays all later ones"),
    SIM_PARAM(struct traffic_gen, trace_file, "", "",
              "Lines of TICK r|w ADDRESS SIZE; may be compressed (gzip)"),
    SIM_END_PARAM,
};

static const struct sim_field traffic_gen_state[] = {
    SIM_FIELD_ARRAY(struct traffic_gen, rng.s, "", "Random number generator"),
    SIM_FIELD(struct traffic_gen, begin, "ticks", "Start of the trace"),
    SIM_FIELD(struct traffic_gen, next_issue, "ticks", "Of the next request"),
    SIM_FIELD(struct traffic_gen, last_done, "ticks", "Latest response"),
    SIM_FIELD(struct traffic_gen, offset, "bytes", "Of the next block"),
    SIM_FIELD(struct traffic_gen, issued, "", "Requests issued"),
    SIM_FIELD(struct traffic_gen, issued_bytes, "bytes", "Data of them"),
    SIM_FIELD_ARRAY(struct traffic_gen, responses, "ticks",
                    "When they come, the earliest first"),
    SIM_FIELD(struct traffic_gen, in_flight, "", "Responses to come"),
    SIM_FIELD(struct traffic_gen, is_done, "", "Has reached its limit"),
    SIM_END,
};

static const struct sim_stat traffic_gen_stats[] = {
    SIM_STAT(struct traffic_gen, num_packets, "numPackets", "Count",
             "Number of packets generated"),
    SIM_STAT(struct traffic_gen, num_retries, "numRetries", "Count",
             "Number of requests that had to wait"),
    SIM_STAT(struct traffic_gen, retry_ticks, "retryTicks", "Tick",
             "Time spent waiting because too many requests were in flight"),
    SIM_STAT(struct traffic_gen, bytes_read, "bytesRead", "Byte",
             "Number of bytes read"),
    SIM_STAT(struct traffic_gen, bytes_written, "bytesWritten", "Byte",
             "Number of bytes written"),
    SIM_STAT(struct traffic_gen, read_latency, "totalReadLatency", "Tick",
             "Total latency of read requests"),
    SIM_STAT(struct traffic_gen, write_latency, "totalWriteLatency", "Tick",
             "Total latency of write requests"),
    SIM_STAT(struct traffic_gen, reads, "totalReads", "Count",
             "Total num of reads"),
    SIM_STAT(struct traffic_gen, writes, "totalWrites", "Count",
             "Total num of writes"),
    SIM_STAT_FORMULA("avgReadLatency", "(Tick/Count)", avg_read_latency,
                     "Avg latency of read requests", .flags = STAT_NO_NAN),
    SIM_STAT_FORMULA("avgWriteLatency", "(Tick/Count)", avg_write_latency,
                     "Avg latency of write requests", .flags = STAT_NO_NAN),
    SIM_STAT_FORMULA("readBW", "(Byte/Second)", read_bw, "Read bandwidth",
                     .flags = STAT_NO_NAN),
    SIM_STAT_FORMULA("writeBW", "(Byte/Second)", write_bw, "Write bandwidth",
                     .flags = STAT_NO_NAN),
    SIM_STAT_HISTOGRAM(struct traffic_gen, read_hist, "readLatencyHist", "Tick",
                       "Read request-response latency"),
    SIM_STAT_HISTOGRAM(struct traffic_gen, write_hist, "writeLatencyHist",
                       "Tick", "Write request-response latency"),
    SIM_END_STAT,
};

static const struct sim_port_desc traffic_gen_ports[] = {
    MEM_REQUESTOR(struct traffic_gen, port, "Where requests leave"),
    SIM_END_PORT,
};

const struct sim_type traffic_gen_type = {
    .name = "TrafficGen",
    .doc = "Memory traffic by a pattern or from a trace",
    .base = &clocked_object_type,
    .size = sizeof(struct traffic_gen),
    .ops = &traffic_gen_ops,
    .params = traffic_gen_params,
    .state = traffic_gen_state,
    .stats = traffic_gen_stats,
    .ports = traffic_gen_ports,
};
