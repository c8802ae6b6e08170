/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all memories share.  Requests of processors carry no data (they use RAM
 * directly); those of devices and bridges do, and are served here.
 */
#include "mem/abstract_mem.h"

#include "mem/physmem.h"
#include "mem/system.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

SIM_CHECK_BASE(struct abstract_memory);

static struct abstract_memory *self(const struct sim_object *obj)
{
    return SIM_CAST(struct abstract_memory, abstract_memory_type, obj);
}

/* ------------------------------------------------------------------- access */

static bool is_write(const struct mem_req *req)
{
    return req->kind == MEM_WRITE || req->kind == MEM_WRITEBACK;
}

static void count(struct abstract_memory *mem, const struct mem_req *req)
{
    if (SIM_UNLIKELY(req->core >= mem->num_reads.len))
        return;
    if (is_write(req)) {
        mem->num_writes.data[req->core]++;
        mem->bytes_written.data[req->core] += req->size;
        return;
    }
    mem->num_reads.data[req->core]++;
    mem->bytes_read.data[req->core] += req->size;
    if (req->kind == MEM_FETCH)
        mem->bytes_inst_read.data[req->core] += req->size;
}

static void move_data(struct abstract_memory *mem, struct mem_req *req)
{
    struct physmem *ram = mem->system->physmem;
    bool has_content = abstract_memory_has_content(mem);

    if (is_write(req)) {
        if (has_content && mem->writeable)
            (void)physmem_write(ram, req->addr, req->data, req->size);
        return;
    }
    if (!has_content || !physmem_read(ram, req->addr, req->data, req->size))
        memset(req->data, 0, req->size);
}

void abstract_memory_access(struct abstract_memory *mem, struct mem_req *req)
{
    count(mem, req);
    if (SIM_UNLIKELY(req->data != NULL))
        move_data(mem, req);
}

void abstract_memory_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    emit(ctx, &self(port->owner)->range);
}

/* --------------------------------------------------------------- life cycle */

static bool has_image(const struct abstract_memory *mem)
{
    return mem->image_file != NULL && mem->image_file[0] != '\0';
}

static void abstract_memory_init(struct sim_object *obj)
{
    struct abstract_memory *mem = self(obj);

    mem->system = system_of(obj);
    if (has_image(mem) && !abstract_memory_has_content(mem))
        sim_fatal_param(obj, "image_file",
                        "a memory without content cannot hold an image");
}

/* Read the whole file into RAM at @mem's first address. */
static int read_image(struct abstract_memory *mem, int fd, size_t size)
{
    uint8_t *host =
        physmem_host(mem->system->physmem, (gpa_t){mem->range.start}, size);

    if (host == NULL)
        return -EFBIG;
    while (size > 0) {
        ssize_t done = read(fd, host, size);

        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        host += done;
        size -= (size_t)done;
    }
    return 0;
}

static int load_image(struct abstract_memory *mem)
{
    struct stat info;
    int fd = open(mem->image_file, O_RDONLY | O_CLOEXEC);
    int err;

    if (fd < 0)
        return -errno;
    err = fstat(fd, &info) == 0 ? 0 : -errno;
    if (err == 0)
        err = read_image(mem, fd, (size_t)info.st_size);
    close(fd);
    return err;
}

static void abstract_memory_reset(struct sim_object *obj)
{
    struct abstract_memory *mem = self(obj);
    int err;

    if (!has_image(mem))
        return;
    err = load_image(mem);
    if (err != 0)
        sim_fatal_param(obj, "image_file", "%s: %s", mem->image_file,
                        strerror(-err));
}

/* All requestors have registered by now. */
static void abstract_memory_startup(struct sim_object *obj)
{
    struct abstract_memory *mem = self(obj);
    struct stat_vector *vectors[] = {&mem->bytes_read, &mem->bytes_inst_read,
                                     &mem->bytes_written, &mem->num_reads,
                                     &mem->num_writes};

    for (size_t i = 0; i < SIM_ARRAY_LEN(vectors); i++)
        stat_vector_init(vectors[i], system_num_requestors(mem->system),
                         system_requestor_names(mem->system));
    mem->stats_since = sim_now(obj->sim);
}

static void abstract_memory_reset_stats(struct sim_object *obj)
{
    self(obj)->stats_since = sim_now(obj->sim);
}

static void abstract_memory_fini(struct sim_object *obj)
{
    struct abstract_memory *mem = self(obj);

    stat_vector_fini(&mem->bytes_read);
    stat_vector_fini(&mem->bytes_inst_read);
    stat_vector_fini(&mem->bytes_written);
    stat_vector_fini(&mem->num_reads);
    stat_vector_fini(&mem->num_writes);
}

/* --------------------------------------------------------------- statistics */

static double per_second(const struct abstract_memory *mem, uint64_t bytes)
{
    tick_t ticks = sim_now(mem->base.base.sim) - mem->stats_since;

    return (double)bytes * (double)TICKS_PER_SECOND / (double)ticks;
}

static double bw_read(const struct sim_object *obj, uint32_t i)
{
    return per_second(self(obj), self(obj)->bytes_read.data[i]);
}

static double bw_inst_read(const struct sim_object *obj, uint32_t i)
{
    return per_second(self(obj), self(obj)->bytes_inst_read.data[i]);
}

static double bw_write(const struct sim_object *obj, uint32_t i)
{
    return per_second(self(obj), self(obj)->bytes_written.data[i]);
}

static double bw_total(const struct sim_object *obj, uint32_t i)
{
    return bw_read(obj, i) + bw_write(obj, i);
}

static uint32_t num_requestors(const struct sim_object *obj)
{
    return self(obj)->num_reads.len;
}

static const char *requestor_name(const struct sim_object *obj, uint32_t i)
{
    return self(obj)->num_reads.subnames[i];
}

/* ------------------------------------------------------------------- tables */

static const struct sim_ops abstract_memory_ops = {
    .init = abstract_memory_init,
    .reset = abstract_memory_reset,
    .startup = abstract_memory_startup,
    .reset_stats = abstract_memory_reset_stats,
    .fini = abstract_memory_fini,
};

static const struct sim_param abstract_memory_params[] = {
    SIM_PARAM(struct abstract_memory, range, "128MiB", "addr",
              "Addresses it serves; interleaved for a channel of several"),
    SIM_PARAM(struct abstract_memory, null, "False", "",
              "Store nothing: reads give zeros"),
    SIM_PARAM(struct abstract_memory, image_file, "", "",
              "File with the first content, from the first address on"),
    SIM_PARAM(struct abstract_memory, in_addr_map, "True", "",
              "Whether it is part of the system's RAM; content is kept only "
              "for such memories"),
    SIM_PARAM(struct abstract_memory, kvm_map, "True", "",
              "Whether a KVM guest sees it as RAM"),
    SIM_PARAM(struct abstract_memory, conf_table_reported, "True", "",
              "Whether tables for the guest's kernel report it"),
    SIM_PARAM(struct abstract_memory, writeable, "True", "",
              "False: writes that arrive at the port are dropped"),
    SIM_END_PARAM,
};

enum { VECTOR_FLAGS = STAT_TOTAL | STAT_NO_ZERO | STAT_NO_NAN };

#define BANDWIDTH(name_, func_, doc_)                                          \
    SIM_STAT_FORMULA(name_, "(Byte/Second)", func_, doc_,                      \
                     .flags = VECTOR_FLAGS, .formula_len = num_requestors,     \
                     .formula_subname = requestor_name)

static const struct sim_stat abstract_memory_stats[] = {
    SIM_STAT(struct abstract_memory, bytes_read, "bytesRead", "Byte",
             "Number of bytes read from this memory", .flags = VECTOR_FLAGS),
    SIM_STAT(struct abstract_memory, bytes_inst_read, "bytesInstRead", "Byte",
             "Number of instructions bytes read from this memory",
             .flags = VECTOR_FLAGS),
    SIM_STAT(struct abstract_memory, bytes_written, "bytesWritten", "Byte",
             "Number of bytes written to this memory", .flags = VECTOR_FLAGS),
    SIM_STAT(struct abstract_memory, num_reads, "numReads", "Count",
             "Number of read requests responded to by this memory",
             .flags = VECTOR_FLAGS),
    SIM_STAT(struct abstract_memory, num_writes, "numWrites", "Count",
             "Number of write requests responded to by this memory",
             .flags = VECTOR_FLAGS),
    BANDWIDTH("bwRead", bw_read, "Total read bandwidth from this memory"),
    BANDWIDTH("bwInstRead", bw_inst_read,
              "Instruction read bandwidth from this memory"),
    BANDWIDTH("bwWrite", bw_write, "Write bandwidth to this memory"),
    BANDWIDTH("bwTotal", bw_total, "Total bandwidth to/from this memory"),
    SIM_END_STAT,
};

const struct sim_type abstract_memory_type = {
    .name = "AbstractMemory",
    .doc = "Base of all memories",
    .base = &clocked_object_type,
    .size = sizeof(struct abstract_memory),
    .is_abstract = true,
    .ops = &abstract_memory_ops,
    .params = abstract_memory_params,
    .stats = abstract_memory_stats,
};
