/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attempts to change what is outside of the working directory: escape OUTSIDE.
 * OUTSIDE holds `file` and the empty directory `dir`.  One line per attempt
 * that the kernel let happen; the exit status is 1 if there was one.
 *
 * guest-flags: -O1 -g
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

static char outside[2000]; /* absolute */
static char name[4096];
static sigjmp_buf escape;

static const char *at(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#include <stdarg.h>

static const char *at(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    return name;
}

/* Write a byte and close; negative if any of it fails. */
static int scribble(int fd)
{
    ssize_t put = fd < 0 ? -1 : write(fd, "!", 1);

    if (fd >= 0)
        (void)close(fd);
    return put == 1 ? 0 : -1;
}

static int create(const char *path)
{
    return scribble(open(path, O_WRONLY | O_CREAT, 0666));
}

static int file_fd(int flags)
{
    return open(at("%s/file", outside), flags);
}

static int dir_fd(int flags)
{
    return open(outside, flags | O_DIRECTORY);
}

static int by_name(void)
{
    return create(at("%s/file", outside));
}

static int by_new_name(void)
{
    return create(at("%s/new", outside));
}

static int by_truncating_open(void)
{
    return open(at("%s/file", outside), O_RDONLY | O_TRUNC);
}

static int by_temporary(void)
{
    return open(outside, O_TMPFILE | O_RDWR, 0600);
}

static int by_dots(void)
{
    return create("../outside/file");
}

static int by_many_dots(void)
{
    return create(at("./../../../../../../../../../../..%s/new", outside));
}

static int by_link(void)
{
    (void)symlink(at("%s/file", outside), "link");
    return create("link");
}

static int by_relative_link(void)
{
    (void)symlink("../outside/file", "relative");
    return create("relative");
}

static int by_dangling_link(void)
{
    (void)symlink(at("%s/dangling", outside), "dangle");
    return create("dangle");
}

static int by_chain_of_links(void)
{
    (void)symlink("chain2/new", "chain");
    (void)symlink("../outside", "chain2");
    return create("chain");
}

static int by_linked_directory(void)
{
    (void)symlink(outside, "dirlink");
    return mkdir("dirlink/made", 0777);
}

static int by_root(void)
{
    return create(at("/proc/self/root%s/new", outside));
}

static int by_root_of_process(void)
{
    return create(at("/proc/%d/root%s/new", getpid(), outside));
}

static int by_cwd(void)
{
    return create("/proc/self/cwd/../outside/new");
}

static int by_thread_cwd(void)
{
    return create("/proc/thread-self/cwd/../outside/new");
}

static int by_reopening(void)
{
    return scribble(open(at("/proc/self/fd/%d", file_fd(O_RDONLY)), O_RDWR));
}

static int by_reopening_path(void)
{
    return scribble(open(at("/proc/self/fd/%d", file_fd(O_PATH)), O_WRONLY));
}

static int by_dev_fd(void)
{
    return scribble(open(at("/dev/fd/%d", file_fd(O_RDONLY)), O_RDWR));
}

static int by_directory_in_proc(void)
{
    return create(at("/proc/self/fd/%d/new", dir_fd(O_PATH)));
}

static int by_directory(void)
{
    return scribble(openat(dir_fd(O_RDONLY), "new", O_CREAT | O_RDWR, 0666));
}

static int by_parent_directory(void)
{
    int fd = open(".", O_PATH | O_DIRECTORY);

    return scribble(openat(fd, "../outside/new", O_CREAT | O_WRONLY, 0666));
}

static int by_openat2(void)
{
    struct {
        unsigned long flags, mode, resolve;
    } how = {O_CREAT | O_WRONLY, 0600, 0};

    return scribble(
        (int)syscall(437, dir_fd(O_PATH), "new", &how, sizeof(how)));
}

static int by_hard_link(void)
{
    if (link(at("%s/file", outside), "hard"))
        return -1;
    return create("hard");
}

static int by_hard_link_of_descriptor(void)
{
    if (linkat(file_fd(O_RDONLY), "", AT_FDCWD, "hard2", AT_EMPTY_PATH))
        return -1;
    return create("hard2");
}

static int by_hard_link_of_proc(void)
{
    if (linkat(AT_FDCWD, at("/proc/self/fd/%d", file_fd(O_RDONLY)), AT_FDCWD,
               "hard3", AT_SYMLINK_FOLLOW))
        return -1;
    return create("hard3");
}

static int by_linking_out(void)
{
    (void)create("mine");
    return link("mine", at("%s/linked", outside));
}

static int by_symlink_out(void)
{
    return symlink("/etc/passwd", at("%s/symlinked", outside));
}

static int by_rename_in(void)
{
    return rename(at("%s/file", outside), "stolen");
}

static int by_rename_out(void)
{
    (void)create("mine");
    return rename("mine", at("%s/renamed", outside));
}

static int by_rename_over(void)
{
    (void)create("mine");
    return renameat(AT_FDCWD, "mine", dir_fd(O_PATH), "file");
}

static int by_exchange(void)
{
    (void)create("mine");
    return renameat2(AT_FDCWD, "mine", AT_FDCWD, at("%s/file", outside),
                     RENAME_EXCHANGE);
}

static int by_moving_the_directory(void)
{
    return rename(".", at("%s/dir", outside));
}

static int by_unlink(void)
{
    return unlink(at("%s/file", outside));
}

static int by_unlinkat(void)
{
    return unlinkat(dir_fd(O_RDONLY), "file", 0);
}

static int by_rmdir(void)
{
    return rmdir(at("%s/dir", outside));
}

static int by_mkdirat(void)
{
    return mkdirat(dir_fd(O_PATH), "made", 0777);
}

static int by_mknod(void)
{
    return mknod(at("%s/node", outside), S_IFREG | 0666, 0);
}

static int by_fifo(void)
{
    return mkfifo(at("%s/fifo", outside), 0666);
}

static int by_truncate(void)
{
    return truncate(at("%s/file", outside), 0);
}

static int by_ftruncate(void)
{
    return ftruncate(file_fd(O_RDONLY), 0);
}

static int by_fallocate(void)
{
    return fallocate(file_fd(O_RDONLY), 0, 0, 100000);
}

static int by_chmod(void)
{
    return chmod(at("%s/file", outside), 0777);
}

static int by_chmod_of_link(void)
{
    (void)symlink(at("%s/file", outside), "link");
    return chmod("link", 0777);
}

static int by_chmod_of_descriptor(void)
{
    return chmod(at("/proc/self/fd/%d", file_fd(O_PATH)), 0777);
}

static int by_fchmod(void)
{
    return fchmod(file_fd(O_RDONLY), 0777);
}

static int by_chown(void)
{
    return lchown(at("%s/file", outside), 12, 34);
}

static int by_fchown(void)
{
    return fchown(file_fd(O_RDONLY), 12, 34);
}

static int by_utimes(void)
{
    struct timespec times[2] = {
        {1, 0},
        {1, 0}
    };

    return utimensat(AT_FDCWD, at("%s/file", outside), times, 0);
}

static int by_futimens(void)
{
    struct timespec times[2] = {
        {2, 0},
        {2, 0}
    };

    return futimens(file_fd(O_RDONLY), times);
}

static int by_xattr(void)
{
    return setxattr(at("%s/file", outside), "user.x", "y", 1, 0);
}

static int by_status_flags(void)
{
    int fd = file_fd(O_RDONLY);

    if (fcntl(fd, F_SETFL, O_RDWR))
        return -1;
    return scribble(fd);
}

static int by_writing_read_only(void)
{
    return (int)pwrite(file_fd(O_RDONLY), "!", 1, 0);
}

static int by_sendfile(void)
{
    int from = open("/etc/hostname", O_RDONLY);

    return (int)sendfile(file_fd(O_RDONLY), from, NULL, 1);
}

static int by_copy_range(void)
{
    int from = open("/etc/passwd", O_RDONLY);

    return (int)copy_file_range(from, NULL, file_fd(O_RDONLY), NULL, 1, 0);
}

static int by_shared_map(void)
{
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                     file_fd(O_RDONLY), 0);

    if (map == MAP_FAILED)
        return -1;
    *map = '!';
    return 0;
}

static int by_protecting_map(void)
{
    char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file_fd(O_RDONLY), 0);

    if (map == MAP_FAILED || mprotect(map, 4096, PROT_READ | PROT_WRITE))
        return -1;
    *map = '!';
    return 0;
}

static int by_chdir(void)
{
    return chdir(outside) ? -1 : create("new");
}

static int by_fchdir(void)
{
    return fchdir(dir_fd(O_PATH)) ? -1 : create("file");
}

static int by_chdir_up(void)
{
    return chdir("../outside/dir") ? -1 : create("../new");
}

static int by_chroot(void)
{
    if (chroot("..") || chdir("/"))
        return -1;
    return create("/outside/new");
}

static int by_chroot_and_descriptor(void)
{
    int fd = dir_fd(O_RDONLY);

    if (chroot(".") || fchdir(fd))
        return -1;
    return create("new");
}

static int by_mount(void)
{
    (void)mkdir("mnt", 0777);
    if (mount(outside, "mnt", "", MS_BIND, NULL))
        return -1;
    return create("mnt/new");
}

static int by_memory_of_init(void)
{
    return scribble(open("/proc/1/mem", O_RDWR));
}

/* What is there is the simulator's window of pseudo operations. */
static int by_memory(void)
{
    int fd = open("/dev/mem", O_RDWR);
    char byte = 0;

    if (fd < 0)
        return -1;
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096) !=
        MAP_FAILED)
        return 0;
    return (int)pwrite(fd, &byte, 1, 4096);
}

static int by_devices(void)
{
    int fd = open("/dev/kmsg", O_WRONLY);

    if (fd < 0)
        fd = open("/dev/vda", O_RDWR);
    return fd;
}

static int by_sysctl(void)
{
    int fd = open("/proc/sys/kernel/hostname", O_WRONLY);

    if (fd < 0)
        fd = open("/proc/self/oom_score_adj", O_WRONLY);
    return fd < 0 ? fd : -1; /* a file of the simulator's own would do */
}

static int by_handle(void)
{
    struct {
        unsigned bytes;
        int type;
        char handle[128];
    } handle = {128, 0, ""};
    int mount_id;

    if (syscall(SYS_name_to_handle_at, AT_FDCWD, at("%s/file", outside),
                &handle, &mount_id, 0))
        return -1;
    return scribble((int)syscall(SYS_open_by_handle_at, open("/", O_RDONLY),
                                 &handle, O_RDWR));
}

static int by_ring(void)
{
    char params[120] = "";

    return (int)syscall(SYS_io_uring_setup, 4, params);
}

/* The program itself lies outside, too. */
static int by_program(void)
{
    return scribble(open("/proc/self/exe", O_WRONLY));
}

static int by_program_again(void)
{
    return scribble(
        open(at("/proc/self/fd/%d", open("/proc/self/exe", O_RDONLY)), O_RDWR));
}

/* A mapping as the kernel lists it opens the file behind it. */
static int by_map_files(void)
{
    char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file_fd(O_RDONLY), 0);

    return scribble(
        open(at("/proc/self/map_files/%lx-%lx", (long)map, (long)map + 4096),
             O_RDWR));
}

static int by_own_memory(void)
{
    char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file_fd(O_RDONLY), 0);
    int fd = open("/proc/self/mem", O_RDWR);

    return map == MAP_FAILED ? -1 : (int)pwrite(fd, "!", 1, (off_t)(long)map);
}

static int by_remapping(void)
{
    char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file_fd(O_RDONLY), 0);

    if (map == MAP_FAILED)
        return -1;
    map = mremap(map, 4096, 8192, MREMAP_MAYMOVE);
    if (map == MAP_FAILED || mprotect(map, 4096, PROT_READ | PROT_WRITE))
        return -1;
    *map = '!';
    return 0;
}

static int by_truncating_openat2(void)
{
    struct {
        unsigned long flags, mode, resolve;
    } how = {O_TRUNC, 0, 0x10}; /* RESOLVE_IN_ROOT */

    return (int)syscall(437, dir_fd(O_PATH), "/../file", &how, sizeof(how));
}

static int by_link_to_parent(void)
{
    (void)symlink("..", "up");
    return create("up/outside/new");
}

static int by_link_in_proc(void)
{
    (void)symlink(at("/proc/self/fd/%d", file_fd(O_RDONLY)), "procfd");
    return scribble(open("procfd", O_RDWR));
}

/* Another name for what may not be written, then the old one of it. */
static int by_replaced_directory(void)
{
    int fd;

    (void)mkdir("swap", 0777);
    fd = open("swap", O_PATH | O_DIRECTORY);
    (void)rmdir("swap");
    (void)symlink(outside, "swap");
    return scribble(openat(fd, "../swap/new", O_CREAT | O_WRONLY, 0666));
}

static int by_device_node(void)
{
    if (mknod("null", S_IFCHR | 0666, 0x103))
        return -1;
    return 0;
}

static int by_socket_name(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", outside);
    return bind(fd, (struct sockaddr *)&name, sizeof(name));
}

static int by_socket_of_pair(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
        return -1;
    return bind(fds[0], (struct sockaddr *)&name, sizeof(name));
}

static int by_attribute_of_descriptor(void)
{
    return fsetxattr(file_fd(O_RDONLY), "user.x", "y", 1, 0);
}

static int by_inode_flags(void)
{
    int flags = 0x20; /* append only */

    return ioctl(file_fd(O_RDONLY), 0x40086602, &flags); /* FS_IOC_SETFLAGS */
}

static int by_clone(void)
{
    return ioctl(file_fd(O_RDONLY), 0x40049409, open("/etc/passwd", O_RDONLY));
}

static int by_passed_descriptor(void)
{
    int fds[2], got = -1;
    char control[64] = "", byte = 'x';
    struct iovec vec = {&byte, 1};
    struct msghdr message = {.msg_iov = &vec,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE(sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
        return -1;
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    got = file_fd(O_RDONLY);
    memcpy(CMSG_DATA(header), &got, sizeof(got));
    if (sendmsg(fds[0], &message, 0) != 1 || recvmsg(fds[1], &message, 0) != 1)
        return -1;
    memcpy(&got, CMSG_DATA(header), sizeof(got));
    return scribble(got);
}

/* Numbers of the host's processes, among them the simulator's, mean nothing. */
static int by_memory_of_others(void)
{
    struct iovec vec = {name, 1};

    for (int pid = 1; pid < 3000; pid++) {
        if (pid != getpid() && process_vm_readv(pid, &vec, 1, &vec, 1, 0) >= 0)
            return 0;
    }
    return -1;
}

static const struct attempt {
    const char *what;
    int (*act)(void);
} attempts[] = {
#define ATTEMPT(act)                                                           \
    {                                                                          \
#act, act                                                              \
    }
    ATTEMPT(by_name),
    ATTEMPT(by_new_name),
    ATTEMPT(by_truncating_open),
    ATTEMPT(by_temporary),
    ATTEMPT(by_dots),
    ATTEMPT(by_many_dots),
    ATTEMPT(by_link),
    ATTEMPT(by_relative_link),
    ATTEMPT(by_dangling_link),
    ATTEMPT(by_chain_of_links),
    ATTEMPT(by_linked_directory),
    ATTEMPT(by_root),
    ATTEMPT(by_root_of_process),
    ATTEMPT(by_cwd),
    ATTEMPT(by_thread_cwd),
    ATTEMPT(by_reopening),
    ATTEMPT(by_reopening_path),
    ATTEMPT(by_dev_fd),
    ATTEMPT(by_directory_in_proc),
    ATTEMPT(by_directory),
    ATTEMPT(by_parent_directory),
    ATTEMPT(by_openat2),
    ATTEMPT(by_hard_link),
    ATTEMPT(by_hard_link_of_descriptor),
    ATTEMPT(by_hard_link_of_proc),
    ATTEMPT(by_linking_out),
    ATTEMPT(by_symlink_out),
    ATTEMPT(by_rename_in),
    ATTEMPT(by_rename_out),
    ATTEMPT(by_rename_over),
    ATTEMPT(by_exchange),
    ATTEMPT(by_moving_the_directory),
    ATTEMPT(by_unlink),
    ATTEMPT(by_unlinkat),
    ATTEMPT(by_rmdir),
    ATTEMPT(by_mkdirat),
    ATTEMPT(by_mknod),
    ATTEMPT(by_fifo),
    ATTEMPT(by_truncate),
    ATTEMPT(by_ftruncate),
    ATTEMPT(by_fallocate),
    ATTEMPT(by_chmod),
    ATTEMPT(by_chmod_of_link),
    ATTEMPT(by_chmod_of_descriptor),
    ATTEMPT(by_fchmod),
    ATTEMPT(by_chown),
    ATTEMPT(by_fchown),
    ATTEMPT(by_utimes),
    ATTEMPT(by_futimens),
    ATTEMPT(by_xattr),
    ATTEMPT(by_status_flags),
    ATTEMPT(by_writing_read_only),
    ATTEMPT(by_sendfile),
    ATTEMPT(by_copy_range),
    ATTEMPT(by_shared_map),
    ATTEMPT(by_protecting_map),
    ATTEMPT(by_chdir),
    ATTEMPT(by_fchdir),
    ATTEMPT(by_chdir_up),
    ATTEMPT(by_chroot),
    ATTEMPT(by_chroot_and_descriptor),
    ATTEMPT(by_mount),
    ATTEMPT(by_memory_of_init),
    ATTEMPT(by_memory),
    ATTEMPT(by_devices),
    ATTEMPT(by_sysctl),
    ATTEMPT(by_handle),
    ATTEMPT(by_ring),
    ATTEMPT(by_program),
    ATTEMPT(by_program_again),
    ATTEMPT(by_map_files),
    ATTEMPT(by_own_memory),
    ATTEMPT(by_remapping),
    ATTEMPT(by_truncating_openat2),
    ATTEMPT(by_link_to_parent),
    ATTEMPT(by_link_in_proc),
    ATTEMPT(by_replaced_directory),
    ATTEMPT(by_device_node),
    ATTEMPT(by_socket_name),
    ATTEMPT(by_socket_of_pair),
    ATTEMPT(by_attribute_of_descriptor),
    ATTEMPT(by_inode_flags),
    ATTEMPT(by_clone),
    ATTEMPT(by_passed_descriptor),
    ATTEMPT(by_memory_of_others),
};

static void on_fault(int number)
{
    siglongjmp(escape, number);
}

static int try_one(const struct attempt *attempt)
{
    if (sigsetjmp(escape, 1) || attempt->act() < 0)
        return 0;
    (void)printf("%s\n", attempt->what);
    return 1;
}

int main(int argc, char **argv)
{
    int home = open(".", O_RDONLY | O_DIRECTORY);
    int status = 0;

    if (argc < 2 || !realpath(argv[1], outside))
        return 2;
    (void)signal(SIGSEGV, on_fault);
    (void)signal(SIGBUS, on_fault);
    for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
        if (argc > 2 && strcmp(argv[2], attempts[i].what))
            continue;
        status |= try_one(&attempts[i]);
        if (fchdir(home))
            return 3;
    }
    return status;
}
