/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/x86/linux/elf.h"
#include "arch/x86/linux/exec_stack.h"
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/futex.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm_map.h"
#include "arch/x86/linux/posix_timer.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/segment.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

#define PAGE_MASK ((uint64_t)FRAME_SIZE - 1)
/* Two thirds of the address space, as Linux without randomisation. */
#define PIE_BASE_64 UINT64_C(0x555555554000)
#define PIE_BASE_32 UINT64_C(0x56555000)

enum { MAX_SCRIPTS = 4, SCRIPT_LINE = 256 };

/* An executable file that is being looked at. */
struct exec_file {
    struct vfs_node *node;
    struct file *file;
    struct vm_object *object;
    struct elf_image *image;
};

struct exec_job {
    struct kernel *kernel;
    struct process *process;
    struct thread *thread;
    struct exec_file program, interp;
    struct mm *mm;
    char *name;  /* AT_EXECFN */
    char **argv; /* owned */
    char **envp;
    const char *base;
    char *why;
    uint64_t bias, interp_bias;
    uint64_t sp;
};

static int exec_fail(const struct exec_job *job, int error, const char *path,
                     const char *text)
{
    (void)snprintf(job->why, EXEC_WHY_SIZE, "%.200s: %.90s", path, text);
    return error;
}

/* ----------------------------------------------------------------- opening */

static void exec_close(struct exec_file *file)
{
    file_put(file->file);
    vm_object_put(file->object);
    mem_free(file->node);
    mem_free(file->image);
    memset(file, 0, sizeof(*file));
}

static int exec_check_node(const struct exec_job *job,
                           const struct vfs_node *node)
{
    if (S_ISDIR(node->st.st_mode))
        return exec_fail(job, -EACCES, node->path, "is a directory");
    if (!S_ISREG(node->st.st_mode))
        return exec_fail(job, -EACCES, node->path, "is not a regular file");
    if (!(node->st.st_mode & 0111))
        return exec_fail(job, -EACCES, node->path, "is not executable");
    return 0;
}

static int exec_open(const struct exec_job *job, const char *path,
                     struct exec_file *out)
{
    int error;

    out->node = alloc_zeroed(1, sizeof(*out->node));
    error = vfs_lookup(job->kernel, job->process, job->base, path, VFS_FOLLOW,
                       out->node);
    if (error)
        return exec_fail(job, error, path, strerrordesc_np(-error));
    error = exec_check_node(job, out->node);
    if (error)
        return error;
    error =
        vfs_open(job->kernel, job->process, out->node, O_RDONLY, 0, &out->file);
    if (error)
        return exec_fail(job, error, path, strerrordesc_np(-error));
    if (!out->file->ops->map)
        return exec_fail(job, -EACCES, path, "cannot be mapped");
    error = out->file->ops->map(out->file, &out->object);
    return error ? exec_fail(job, error, path, "cannot be mapped") : 0;
}

/* ------------------------------------------------------------------ scripts */

static void exec_free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        mem_free(list[i]);
    mem_free(list);
}

static char **exec_copy_list(char *const *list)
{
    size_t count = 0;
    char **copy;

    while (list[count])
        count++;
    copy = alloc_zeroed(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = alloc_strdup(list[i]);
    return copy;
}

/* argv becomes: interpreter, its argument if any, script, the old arguments. */
static void exec_script_argv(struct exec_job *job, const char *interp,
                             const char *arg)
{
    char **old = job->argv;
    size_t count = 0, at = 0;

    while (old[count])
        count++;
    job->argv = alloc_zeroed(count + 4, sizeof(*job->argv));
    job->argv[at++] = alloc_strdup(interp);
    if (*arg)
        job->argv[at++] = alloc_strdup(arg);
    job->argv[at++] = alloc_strdup(job->name);
    for (size_t i = 1; i < count; i++)
        job->argv[at++] = alloc_strdup(old[i]);
    exec_free_list(old);
}

/* If the program is a script, put its interpreter in its place.
 * Returns: 1 if it was one, 0 if not, -errno. */
static int exec_script(struct exec_job *job)
{
    char line[SCRIPT_LINE + 1] = "";
    char *interp, *arg, *end;
    ssize_t got = pread(job->program.file->host_fd, line, SCRIPT_LINE, 0);

    if (got < 2 || line[0] != '#' || line[1] != '!')
        return 0;
    line[strcspn(line, "\n")] = '\0';
    interp = line + 2 + strspn(line + 2, " \t");
    end = interp + strlen(interp);
    while (end > interp && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    if (!*interp)
        return exec_fail(job, -ENOEXEC, job->name,
                         "script without "
                         "interpreter");
    arg = interp + strcspn(interp, " \t");
    if (*arg) {
        *arg++ = '\0';
        arg += strspn(arg, " \t");
    }
    exec_script_argv(job, interp, arg);
    mem_free(job->name);
    job->name = alloc_strdup(interp);
    exec_close(&job->program);
    return 1;
}

static int exec_open_program(struct exec_job *job)
{
    int error;

    for (int i = 0; i <= MAX_SCRIPTS; i++) {
        error = exec_open(job, job->name, &job->program);
        if (error)
            return error;
        error = exec_script(job);
        if (error <= 0)
            return error;
    }
    return exec_fail(job, -ELOOP, job->name, "too many levels of scripts");
}

static int exec_parse(const struct exec_job *job, struct exec_file *file)
{
    struct elf_source source = {elf_read_fd, &file->file->host_fd};
    char why[ELF_WHY_SIZE] = "";
    int error;

    file->image = alloc_zeroed(1, sizeof(*file->image));
    error = elf_parse(&source, file->image, why);
    return error ? exec_fail(job, error, file->node->path, why) : 0;
}

static int exec_open_interp(struct exec_job *job)
{
    const char *path = job->program.image->interp;
    int error;

    if (!*path)
        return 0;
    error = exec_open(job, path, &job->interp);
    if (!error)
        error = exec_parse(job, &job->interp);
    if (!error && job->interp.image->is_32 != job->program.image->is_32)
        error = exec_fail(job, -ELIBBAD, path,
                          "the interpreter is of another class");
    if (error == -ENOENT)
        error = exec_fail(job, -ENOENT, path,
                          "the interpreter that the program asks for does not "
                          "exist");
    return error;
}

/* ------------------------------------------------------------------ mapping */

static int exec_map_zero(struct mm *mm, uint64_t start, uint64_t end,
                         uint32_t prot)
{
    struct mm_map_request request = {
        .addr = start,
        .len = end - start,
        .prot = prot,
        .map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    };
    int64_t addr;

    if (start >= end)
        return 0;
    addr = mm_map(mm, &request);
    return addr < 0 ? (int)addr : 0;
}

static int exec_map_segment(struct mm *mm, const struct exec_file *file,
                            const struct elf_segment *segment, uint64_t bias)
{
    uint64_t start = segment->addr + bias;
    uint64_t file_end = start + segment->file_size;
    uint64_t zero_start = (file_end + PAGE_MASK) & ~PAGE_MASK;
    uint64_t end = (start + segment->mem_size + PAGE_MASK) & ~PAGE_MASK;
    struct mm_map_request request = {
        .addr = start & ~PAGE_MASK,
        .len = zero_start - (start & ~PAGE_MASK),
        .prot = segment->prot,
        .map_flags = MAP_PRIVATE | MAP_FIXED,
        .object = file->object,
        .offset = segment->offset & ~PAGE_MASK,
    };
    int64_t addr;

    if (segment->file_size) {
        addr = mm_map(mm, &request);
        if (addr < 0)
            return (int)addr;
    } else {
        zero_start = start & ~PAGE_MASK;
    }
    /* The rest of the last page of the file is zero, not the file. */
    if (segment->file_size && segment->mem_size > segment->file_size &&
        (segment->prot & MM_WRITE) && (file_end & PAGE_MASK) &&
        uaccess_clear(mm, file_end, zero_start - file_end))
        return -EFAULT;
    return exec_map_zero(mm, zero_start, end, segment->prot);
}

static int exec_map_image(struct mm *mm, const struct exec_file *file,
                          uint64_t bias)
{
    int error = 0;

    for (uint32_t i = 0; !error && i < file->image->num_segments; i++)
        error = exec_map_segment(mm, file, &file->image->segments[i], bias);
    return error;
}

/* An address for an image that may go anywhere. */
static int exec_place(struct mm *mm, const struct elf_image *image,
                      uint64_t hint, uint64_t *bias)
{
    struct mm_map_request request = {
        .addr = (hint + image->align - 1) & ~(image->align - 1),
        .len = image->high - image->low + (hint ? 0 : image->align - 4096),
        .map_flags = MAP_PRIVATE | MAP_ANONYMOUS,
        .vma_flags = VMA_NO_HUGE,
    };
    int64_t addr = mm_map(mm, &request);
    int error;

    if (addr < 0)
        return (int)addr;
    error = mm_unmap(mm, (uint64_t)addr, request.len);
    *bias = (((uint64_t)addr + image->align - 1) & ~(image->align - 1)) -
            image->low;
    return error;
}

static void exec_note_layout(struct exec_job *job)
{
    const struct elf_image *image = job->program.image;
    struct mm *mm = job->mm;

    mm->brk_start = mm->brk = image->high + job->bias;
    for (uint32_t i = 0; i < image->num_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t start = segment->addr + job->bias;

        if ((segment->prot & MM_EXEC) && !mm->code_start) {
            mm->code_start = start;
            mm->code_end = start + segment->file_size;
        } else if (segment->prot & MM_WRITE) {
            mm->data_start = start;
            mm->data_end = start + segment->file_size;
        }
    }
}

static int exec_map(struct exec_job *job)
{
    const struct elf_image *image = job->program.image;
    bool is_32 = image->is_32;
    uint64_t task_size = is_32 ? MM_TASK_SIZE_32 : MM_TASK_SIZE_64;
    int error = 0;

    job->mm =
        mm_create(&job->kernel->objects, &job->kernel->mm_watch, task_size);
    if (!job->mm || !kernel_map_pages(job->kernel, job->mm))
        return exec_fail(job, -ENOMEM, job->name, "guest RAM is full");
    if (image->is_relocatable)
        error = exec_place(job->mm, image, is_32 ? PIE_BASE_32 : PIE_BASE_64,
                           &job->bias);
    if (!error)
        error = exec_map_image(job->mm, &job->program, job->bias);
    if (!error && job->interp.image) {
        if (job->interp.image->is_relocatable)
            error =
                exec_place(job->mm, job->interp.image, 0, &job->interp_bias);
        if (!error)
            error = exec_map_image(job->mm, &job->interp, job->interp_bias);
    }
    exec_note_layout(job);
    job->mm->fault_around = job->kernel->cfg.fault_around;
    if (error)
        return exec_fail(job, error, job->name,
                         error == -ENOMEM ? "does not fit into memory"
                                          : "cannot be mapped");
    return 0;
}

static int exec_stack(struct exec_job *job)
{
    struct exec_stack stack = {
        .kernel = job->kernel,
        .process = job->process,
        .mm = job->mm,
        .image = job->program.image,
        .bias = job->bias,
        .interp_base =
            job->interp.image ? job->interp.image->low + job->interp_bias : 0,
        .argv = job->argv,
        .envp = job->envp,
        .exec_name = job->name,
    };
    int error = exec_stack_build(&stack);

    job->sp = stack.sp;
    return error ? exec_fail(job, error, job->name,
                             "arguments and environment are too long")
                 : 0;
}

/* ------------------------------------------------------------------- commit */

static void exec_set_registers(struct exec_job *job, struct linux_cpu *cpu)
{
    struct thread *thread = job->thread;
    struct x86_state *state = cpu ? x86_core_state(cpu->core) : thread->state;
    const struct exec_file *first =
        job->interp.image ? &job->interp : &job->program;

    if (cpu)
        x86_core_sync(cpu->core);
    memset(thread->tls, 0, sizeof(thread->tls));
    segment_start(state, job->kernel, thread);
    state->gpr[X86_RSP] = job->sp;
    state->rip = first->image->entry +
                 (job->interp.image ? job->interp_bias : job->bias);
    if (cpu) {
        state->gdtr.base = kernel_gdt_addr(cpu);
        state->gdtr.limit = 127;
        state->cr3 = job->mm->pt.root.v;
        sched_load_tls(cpu, thread);
        x86_core_state_changed(cpu->core);
    }
}

static void exec_reset_process(struct exec_job *job)
{
    struct process *process = job->process;
    struct signal_handlers *handlers = signal_handlers_copy(process->handlers);
    const char *slash = strrchr(job->program.node->path, '/');

    futex_exit_robust(job->thread);
    process_kill_others(process, job->thread);
    signal_handlers_put(process->handlers);
    process->handlers = handlers;
    signal_handlers_reset(handlers);
    posix_timer_drop_all(process); /* alarms and interval timers go on */
    if (process->files->refs > 1) {
        struct fd_table *files = fd_table_copy(process->files);

        fd_table_put(process->files);
        process->files = files;
    }
    fd_table_close_on_exec(process->files);
    mem_free(process->exe);
    process->exe = alloc_strdup(job->program.node->path);
    process->is_32 = job->program.image->is_32;
    (void)snprintf(job->thread->comm, sizeof(job->thread->comm), "%.15s",
                   slash ? slash + 1 : job->program.node->path);
    job->thread->altstack_flags = SS_DISABLE;
    job->thread->altstack = job->thread->altstack_size = 0;
    job->thread->robust_list = 0;
    job->thread->rseq = 0;
    job->thread->clear_child_tid = 0;
}

static void exec_commit(struct exec_job *job, struct linux_cpu *cpu)
{
    struct process *process = job->process;
    struct mm *old = process->mm;

    exec_reset_process(job);
    job->mm->limit_as = process->rlimits[9][0];   /* RLIMIT_AS */
    job->mm->limit_data = process->rlimits[2][0]; /* RLIMIT_DATA */
    process->max_resident = process_max_resident(process);
    process->mm = job->mm;
    job->mm = NULL;
    sched_mm_changed(process);
    mm_put(old);
    job->mm = process->mm;
    exec_set_registers(job, cpu);
    job->mm = NULL;
    process_release_vfork(process);
}

int exec_program(struct linux_cpu *cpu, struct thread *thread,
                 const struct exec_request *request, char why[EXEC_WHY_SIZE])
{
    struct exec_job job = {
        .kernel = thread->process->kernel,
        .process = thread->process,
        .thread = thread,
        .name = alloc_strdup(request->path),
        .argv = exec_copy_list(request->argv),
        .envp = request->envp,
        .base = request->base,
        .why = why,
    };
    int error = exec_open_program(&job);

    if (!error)
        error = exec_parse(&job, &job.program);
    if (!error)
        error = exec_open_interp(&job);
    if (!error)
        error = exec_map(&job);
    if (!error)
        error = exec_stack(&job);
    if (!error)
        exec_commit(&job, cpu);
    mm_put(job.mm);
    exec_close(&job.program);
    exec_close(&job.interp);
    exec_free_list(job.argv);
    mem_free(job.name);
    return error;
}

/* ---------------------------------------------------------------- first
 * process */

static struct file *exec_stdio(struct kernel *kernel,
                               const struct exec_start *start, uint32_t number)
{
    int host_fd = start->stdio[number];
    uint32_t flags = number ? O_WRONLY : O_RDONLY;
    char link[64], path[VFS_PATH_MAX];
    struct file *file;
    ssize_t len;

    if (host_fd < 0)
        return file_dev_create(kernel, flags, "/dev/null");
    if (isatty(host_fd))
        flags = O_RDWR;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", host_fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    file = file_host_create(kernel, host_fd, flags, path);
    file->stdio.kind = start->stdio_kind[number];
    file->stdio.pid = start->pid;
    file->stdio.number = number;
    return file;
}

static void exec_fill_process(struct process *process,
                              const struct exec_start *start)
{
    struct process_ids *ids = &process->ids;

    process->fs = process_fs_copy(NULL);
    mem_free(process->fs->cwd);
    process->fs->cwd = alloc_strdup(start->cwd);
    process->handlers = signal_handlers_create();
    process->files = fd_table_create();
    if (start->pid) {
        process->pid = start->pid;
        process->kernel->last_pid = start->pid;
    }
    process->pgid = start->pgid ? start->pgid : process->pid;
    process->sid = process->pid;
    for (int i = ID_EFFECTIVE; i < NUM_IDS; i++) {
        ids->user[i] = start->euid;
        ids->group[i] = start->egid;
    }
    ids->user[ID_REAL] = start->uid;
    ids->group[ID_REAL] = start->gid;
    for (uint32_t i = 0; i < SIM_ARRAY_LEN(start->stdio); i++)
        (void)fd_table_set(process->files, i,
                           exec_stdio(process->kernel, start, i), 0);
}

int exec_start_process(struct kernel *kernel, const struct exec_start *start,
                       char why[EXEC_WHY_SIZE])
{
    struct process *process = process_create(kernel, NULL);
    struct exec_request request = {
        .path = start->path,
        .base = start->cwd,
        .argv = start->argv,
        .envp = start->envp,
    };
    struct thread *thread;
    int error;

    exec_fill_process(process, start);
    thread = thread_create(process);
    segment_start(thread->state, kernel, thread);
    error = exec_program(NULL, thread, &request, why);
    if (error) {
        process_free(process);
        return error;
    }
    if (!kernel->first_process)
        kernel->first_process = process;
    sched_enqueue(thread);
    return 0;
}
