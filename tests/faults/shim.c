/* Breaks the Nth call that touches a folder. Loaded before libc; does nothing until `fault_arm` is called.

   The plan and its counters lie in memory that forked children share, so that whoever forked them can read the
   counters also of a child that was killed. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ONCE = 1, FULL = 2, KILL = 3, TEAR = 4, READS = 5 };
enum { WRITES, CREATES, SYNCS, NAMES, READING };

static struct plan {
    volatile int is_armed, mode, error;
    volatile long nth, calls, fired;
    char folder[PATH_MAX];
} *plan;

__attribute__((constructor)) static void begin(void)
{
    void *memory = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    plan = memory == MAP_FAILED ? NULL : memory;
}

void fault_arm(const char *folder, long nth, int mode, int error)
{
    snprintf(plan->folder, sizeof plan->folder, "%s", folder);
    plan->nth = nth;
    plan->mode = mode;
    plan->error = error;
    plan->calls = plan->fired = 0;
    plan->is_armed = 1;
}

void fault_disarm(void) { plan->is_armed = 0; }
long fault_calls(void) { return plan->calls; }
long fault_fired(void) { return plan->fired; }

static int lies_inside(const char *path)
{
    char whole[2 * PATH_MAX];
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here))
            return 0;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
        path = whole;
    }
    size_t length = strlen(plan->folder);
    return strncmp(path, plan->folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int is_open_inside(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return lies_inside(path);
}

/* Counts a call; returns the error it must fail with, or 0. Does not return where the process is to die. */
static int strike(int kind)
{
    if ((plan->mode == READS) != (kind == READING))
        return 0;
    long call = __sync_add_and_fetch(&plan->calls, 1);
    if (!plan->nth || call < plan->nth || (plan->mode != FULL && call > plan->nth))
        return 0;
    if (plan->mode == FULL && kind != WRITES && kind != CREATES)
        return 0;
    plan->fired++;
    if (plan->mode == KILL || (plan->mode == TEAR && kind != WRITES))
        kill(getpid(), SIGKILL);
    return plan->error;
}

#define REAL(name, ...) ((__typeof__(&name))real(#name, __VA_ARGS__))
static void *real(const char *name, void **kept) { return *kept ? *kept : (*kept = dlsym(RTLD_NEXT, name)); }

#define IS_ON (plan && plan->is_armed)
#define ON_FD(name, kind, ...)                                                                                         \
    static void *kept;                                                                                                 \
    if (IS_ON && is_open_inside(fd)) {                                                                                 \
        int error = strike(kind);                                                                                      \
        if (error) {                                                                                                   \
            errno = error;                                                                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    return REAL(name, &kept)(__VA_ARGS__)
#define ON_WRITE(name, half, ...)                                                                                      \
    static void *kept;                                                                                                 \
    if (IS_ON && is_open_inside(fd)) {                                                                                 \
        int error = strike(WRITES);                                                                                    \
        if (error && plan->mode == TEAR) {                                                                             \
            REAL(name, &kept) half;                                                                                    \
            kill(getpid(), SIGKILL);                                                                                   \
        }                                                                                                              \
        if (error) {                                                                                                   \
            errno = error;                                                                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    return REAL(name, &kept)(__VA_ARGS__)

ssize_t write(int fd, const void *data, size_t size) { ON_WRITE(write, (fd, data, size / 2), fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    ON_WRITE(pwrite, (fd, data, size / 2, at), fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    ON_WRITE(pwrite64, (fd, data, size / 2, at), fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) { ON_WRITE(writev, (fd, parts, 1), fd, parts, count); }
ssize_t read(int fd, void *data, size_t size) { ON_FD(read, READING, fd, data, size); }
ssize_t pread(int fd, void *data, size_t size, off_t at) { ON_FD(pread, READING, fd, data, size, at); }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) { ON_FD(pread64, READING, fd, data, size, at); }
int fsync(int fd) { ON_FD(fsync, SYNCS, fd); }
int fdatasync(int fd) { ON_FD(fdatasync, SYNCS, fd); }
int ftruncate(int fd, off_t size) { ON_FD(ftruncate, WRITES, fd, size); }
int ftruncate64(int fd, off64_t size) { ON_FD(ftruncate64, WRITES, fd, size); }

#define ON_PATH(name, path, kind, ...)                                                                                 \
    static void *kept;                                                                                                 \
    if (IS_ON && lies_inside(path)) {                                                                                  \
        int error = strike(kind);                                                                                      \
        if (error) {                                                                                                   \
            errno = error;                                                                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    return REAL(name, &kept)(__VA_ARGS__)

int rename(const char *from, const char *to) { ON_PATH(rename, to, NAMES, from, to); }
int renameat(int a, const char *from, int b, const char *to) { ON_PATH(renameat, to, NAMES, a, from, b, to); }
int link(const char *from, const char *to) { ON_PATH(link, to, CREATES, from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags)
{
    ON_PATH(linkat, to, CREATES, a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) { ON_PATH(mkdir, path, CREATES, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { ON_PATH(mkdirat, path, CREATES, at, path, mode); }

/* A new file needs room; opening one that is there does not. */
static int opening(const char *path, int flags)
{
    struct stat found;
    if (!(flags & O_CREAT) || !IS_ON || !lies_inside(path))
        return 0;
    return strike(stat(path, &found) == 0 ? NAMES : CREATES);
}

#define ON_OPEN(name, path, flags, ...)                                                                                \
    static void *kept;                                                                                                 \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                                          \
    va_end(rest);                                                                                                      \
    int error = opening(path, flags);                                                                                  \
    if (error) {                                                                                                       \
        errno = error;                                                                                                 \
        return -1;                                                                                                     \
    }                                                                                                                  \
    return REAL(name, &kept)(__VA_ARGS__, mode)

int open(const char *path, int flags, ...) { ON_OPEN(open, path, flags, path, flags); }
int open64(const char *path, int flags, ...) { ON_OPEN(open64, path, flags, path, flags); }
int openat(int at, const char *path, int flags, ...) { ON_OPEN(openat, path, flags, at, path, flags); }
int openat64(int at, const char *path, int flags, ...) { ON_OPEN(openat64, path, flags, at, path, flags); }
