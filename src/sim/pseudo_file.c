/* SPDX-License-Identifier: BSD-3-Clause */
/* Files travel in pieces, so that no length a guest names costs memory. */
#include "sim/pseudo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/object.h"
#include "sim/pseudo_op.h"
#include "sim/report.h"
#include "sim/sim.h"

enum { PIECE = 16384 };

static uint64_t piece_of(uint64_t len)
{
    return len < PIECE ? len : PIECE;
}

/* Returns: bytes copied to the guest. */
static uint64_t copy_in(struct pseudo_call *call, int fd)
{
    uint64_t done = 0, len = call->args[1];
    char data[PIECE];

    while (done < len) {
        ssize_t got = pread(fd, data, piece_of(len - done),
                            (off_t)(call->args[2] + done));
        uint64_t put;

        if (got <= 0)
            break;
        put = call->ops->write(call, call->args[0] + done, data, (uint64_t)got);
        done += put;
        if (put < (uint64_t)got) {
            sim_guest_error(call->cpu,
                            "m5_read_file: the buffer at %#llx is "
                            "not accessible",
                            (unsigned long long)call->args[0]);
            break;
        }
    }
    return done;
}

uint64_t pseudo_read_file(struct pseudo_call *call)
{
    const char *path = call->machine->readfile;
    uint64_t done;
    int fd;

    if (!path || !*path)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        sim_warn(call->machine->owner, "readfile %s: %s", path,
                 strerror(errno));
        return 0;
    }
    done = copy_in(call, fd);
    close(fd);
    return done;
}

/* ------------------------------------------------------------------ writing */

/* Returns: whether the guest's string fits. */
static bool read_name(struct pseudo_call *call, char name[PATH_MAX])
{
    uint64_t addr = call->args[3];

    for (unsigned i = 0; i < PATH_MAX; i++) {
        if (!call->ops->read(call, addr + i, &name[i], 1))
            return false;
        if (!name[i])
            return true;
    }
    return false;
}

/* A descriptor of the file below the output directory, or -errno. */
static int open_below(const char *dir, const char *name, uint64_t offset)
{
    const struct open_how how = {
        .flags = O_WRONLY | O_CREAT | O_CLOEXEC | (offset ? 0 : O_TRUNC),
        .mode = 0666,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    int top, fd;

    (void)mkdir(dir, 0777); /* if it fails, so does what follows */
    top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -errno;
    fd = (int)syscall(SYS_openat2, top, name, &how, sizeof how);
    if (fd < 0)
        fd = -errno;
    close(top);
    return fd;
}

static bool write_all(int fd, const char *data, uint64_t len, uint64_t offset)
{
    while (len) {
        ssize_t put = pwrite(fd, data, len, (off_t)offset);

        if (put < 0)
            return false;
        data += put;
        len -= (uint64_t)put;
        offset += (uint64_t)put;
    }
    return true;
}

/* Returns: bytes copied from the guest. */
static uint64_t copy_out(struct pseudo_call *call, int fd, const char *name)
{
    uint64_t done = 0, len = call->args[1];
    char data[PIECE];

    while (done < len) {
        uint64_t want = piece_of(len - done);
        uint64_t got = call->ops->read(call, call->args[0] + done, data, want);

        if (!write_all(fd, data, got, call->args[2] + done)) {
            sim_warn(call->machine->owner, "m5_write_file: %s: %s", name,
                     strerror(errno));
            break;
        }
        done += got;
        if (got < want) {
            sim_guest_error(call->cpu,
                            "m5_write_file: the buffer at %#llx is "
                            "not accessible",
                            (unsigned long long)call->args[0]);
            break;
        }
    }
    return done;
}

uint64_t pseudo_write_file(struct pseudo_call *call)
{
    char name[PATH_MAX];
    uint64_t done;
    int fd;

    if (!read_name(call, name)) {
        sim_guest_error(call->cpu,
                        "m5_write_file: the name at %#llx is not "
                        "accessible",
                        (unsigned long long)call->args[3]);
        return UINT64_MAX;
    }
    fd = open_below(sim_outdir(call->cpu->sim), name, call->args[2]);
    if (fd < 0) {
        sim_guest_error(call->cpu,
                        "m5_write_file: '%s' in the output directory: %s", name,
                        strerror(-fd));
        return UINT64_MAX;
    }
    done = copy_out(call, fd, name);
    close(fd);
    return done;
}
