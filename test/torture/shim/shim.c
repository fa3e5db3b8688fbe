/*
 * Stands between a program and the C library (LD_PRELOAD) and does two things to the files below one
 * directory: it writes down, in order, all that would matter to the disk if the power failed, and it makes
 * calls fail on command.
 *
 *   TORTURE_ROOT    the directory; files whose names end in -shm are left alone, they are memory
 *   TORTURE_TRACE   where the records go; test/torture/power/trace.ts reads them
 *   TORTURE_FAULTS  a file whose first bytes are looked at before each call; test/torture/shim/faults.ts
 *   TORTURE_SYNC_US a sync takes up to so many microseconds, so that others come between
 *
 * A program under the shim is killed by SIGPWR: then what it has done is written down first, and only that. A
 * SIGKILL between the two would leave an act that no record tells of, and the next process would build on it.
 *
 * The children of the program run without it. Syncs are written down and not carried out when there is a
 * trace: nothing but the trace decides what is safe.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPENED = 1, CLOSED, WROTE, CUT, SYNC, SYNCED, RENAMED, UNLINKED, RMDIR, MKDIR, SAID, SYNC_FAILED };
enum { CREATED = 1, EMPTIED = 2 };
enum { ON_WRITE, ON_SYNC, ON_READ, ON_CREATE, FAULTS, HITS = 16 };
enum { MAX_FD = 65536, TRACE_FD = 800 };

struct head { uint32_t type; int32_t fd; int64_t offset; uint32_t length; uint32_t extra; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int trace = -1, active;
static long sync_us;
static uint32_t syncs;
static volatile unsigned char *faults;
static unsigned char ours[MAX_FD];

static int acting, dying;

static void die(void) { for (;;) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL); }

/* Either sees that somebody is acting, or whoever begins to sees that all are dying. */
static void killed(int signal) {
  (void)signal;
  __atomic_store_n(&dying, 1, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&acting, __ATOMIC_SEQ_CST)) die();
}

/* Node resets what was set before it began. */
static void heed(void) {
  static int done;
  if (done) return;
  done = 1;
  struct sigaction action = {.sa_handler = killed, .sa_flags = SA_RESTART};
  sigaction(SIGPWR, &action, NULL);
}

static void enter(void) {
  pthread_mutex_lock(&lock);
  heed();
  __atomic_store_n(&acting, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&dying, __ATOMIC_SEQ_CST)) die();
}

static void leave(void) {
  __atomic_store_n(&acting, 0, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&dying, __ATOMIC_SEQ_CST)) die();
  pthread_mutex_unlock(&lock);
}

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
static void in_child(void) { active = 0; pthread_mutex_unlock(&lock); }

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  const char *where = getenv("TORTURE_ROOT"), *to = getenv("TORTURE_TRACE"), *by = getenv("TORTURE_FAULTS");
  const char *us = getenv("TORTURE_SYNC_US");
  unsetenv("LD_PRELOAD");
  if (!where) return;
  snprintf(root, sizeof root, "%s", where);
  root_length = strlen(root);
  sync_us = us ? atol(us) : 0;
  if (to) {
    int fd = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    trace = fcntl(fd, F_DUPFD_CLOEXEC, TRACE_FD);
    syscall(SYS_close, fd);
  }
  if (by) {
    int fd = syscall(SYS_openat, AT_FDCWD, by, O_RDWR | O_CLOEXEC, 0);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) faults = page;
    syscall(SYS_close, fd);
  }
  pthread_atfork(before_fork, after_fork, in_child);
  active = 1;
}

static void note(struct head head, const void *bytes) {
  struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, head.length}};
  if (trace >= 0) syscall(SYS_writev, trace, parts, head.length ? 2 : 1);
}

static void note_path(uint32_t type, int fd, uint32_t extra, const char *path) {
  note((struct head){type, fd, 0, strlen(path), extra}, path);
}

/* Whether a call of this kind is to fail now; then errno says how. */
static int struck(int kind) {
  if (!faults || !faults[kind]) return 0;
  __atomic_fetch_add((uint32_t *)(faults + HITS) + kind, 1, __ATOMIC_RELAXED);
  errno = faults[kind];
  return 1;
}

static int is_ours(int fd) { return active && fd >= 0 && fd < MAX_FD && ours[fd]; }

/* The whole path if it is the root or below it, else NULL. */
static const char *below(int at, const char *path, char *whole) {
  if (!active) return NULL;
  if (path[0] == '/') {
    snprintf(whole, PATH_MAX, "%s", path);
  } else {
    char link[64], base[PATH_MAX];
    snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length < 0) return NULL;
    base[length] = 0;
    if (snprintf(whole, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
  }
  size_t length = strlen(whole);
  while (length > 1 && whole[length - 1] == '/') whole[--length] = 0;
  if (strncmp(whole, root, root_length) || (whole[root_length] && whole[root_length] != '/')) return NULL;
  return length > 4 && !strcmp(whole + length - 4, "-shm") ? NULL : whole;
}

static int open_any(int at, const char *path, int flags, mode_t mode) {
  char whole[PATH_MAX];
  struct stat before;
  const char *name = below(at, path, whole);
  if (!name) {
    int other = syscall(SYS_openat, at, path, flags, mode);
    // Its number may have been one of ours that was closed past us: not every close comes by here.
    if (other >= 0 && other < MAX_FD) ours[other] = 0;
    return other;
  }
  enter();
  int there = stat(name, &before) == 0;
  if (!there && (flags & O_CREAT) && struck(ON_CREATE)) { leave(); return -1; }
  int fd = syscall(SYS_openat, at, path, flags, mode);
  int error = errno;
  if (fd >= 0 && fd < MAX_FD) {
    ours[fd] = 1;
    note_path(OPENED, fd, (there ? 0 : CREATED) | (flags & O_TRUNC ? EMPTIED : 0), name);
  }
  leave();
  errno = error;
  return fd;
}

#define MODE(flags) mode_t mode = 0; if (flags & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { MODE(flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_any(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_any(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_any(at, path, flags | O_LARGEFILE, mode); }

int close(int fd) {
  REAL(close);
  if (fd == trace && active) return 0;
  if (!is_ours(fd)) return real(fd);
  enter();
  ours[fd] = 0;
  note((struct head){CLOSED, fd, 0, 0, 0}, NULL);
  int done = real(fd);
  leave();
  return done;
}

/* A full disk takes a part of a write, and nothing of the next one. */
static size_t room(size_t length) {
  static int parity;
  return faults[ON_WRITE] == ENOSPC && length > 1 && (parity ^= 1) ? length / 2 : 0;
}

/* At the file's own place when offset is negative. */
static ssize_t write_ours(int fd, const struct iovec *parts, int count, int64_t offset) {
  size_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  char *bytes = malloc(length ? length : 1);
  size_t at = 0;
  for (int i = 0; i < count; i++) {
    memcpy(bytes + at, parts[i].iov_base, parts[i].iov_len);
    at += parts[i].iov_len;
  }
  enter();
  ssize_t done = -1;
  if (struck(ON_WRITE)) {
    int error = errno;
    length = room(length);
    errno = error;
    if (length == 0) goto out;
  }
  done = offset < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, offset);
  int error = errno;
  if (done > 0) {
    int64_t from = offset < 0 ? lseek(fd, 0, SEEK_CUR) - done : offset;
    note((struct head){WROTE, fd, from, done, 0}, bytes);
  }
  errno = error;
out:
  leave();
  free(bytes);
  return done;
}

/* What the client was sent, by its length. */
static ssize_t say(const struct iovec *parts, int count) {
  enter();
  ssize_t done = syscall(SYS_writev, 1, parts, count);
  int error = errno;
  if (done > 0) note((struct head){SAID, 1, done, 0, 0}, NULL);
  leave();
  errno = error;
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  if (is_ours(fd)) return write_ours(fd, &part, 1, -1);
  return fd == 1 && active && trace >= 0 ? say(&part, 1) : syscall(SYS_write, fd, bytes, length);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (is_ours(fd)) return write_ours(fd, parts, count, -1);
  return fd == 1 && active && trace >= 0 ? say(parts, count) : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  struct iovec part = {(void *)bytes, length};
  return is_ours(fd) ? write_ours(fd, &part, 1, offset) : syscall(SYS_pwrite64, fd, bytes, length, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  REAL(pwritev64);
  return is_ours(fd) ? write_ours(fd, parts, count, offset) : real(fd, parts, count, offset);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

ssize_t read(int fd, void *bytes, size_t length) {
  return is_ours(fd) && struck(ON_READ) ? -1 : syscall(SYS_read, fd, bytes, length);
}
ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset) {
  return is_ours(fd) && struck(ON_READ) ? -1 : syscall(SYS_pread64, fd, bytes, length, offset);
}
ssize_t pread(int fd, void *bytes, size_t length, off_t offset) { return pread64(fd, bytes, length, offset); }

int ftruncate64(int fd, off64_t length) {
  if (!is_ours(fd)) return syscall(SYS_ftruncate, fd, length);
  enter();
  int done = struck(ON_WRITE) ? -1 : syscall(SYS_ftruncate, fd, length);
  if (done == 0) note((struct head){CUT, fd, length, 0, 0}, NULL);
  leave();
  return done;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_any(int fd, int call) {
  if (!is_ours(fd)) return syscall(call, fd);
  enter();
  int fails = struck(ON_SYNC), error = errno;
  uint32_t id = ++syncs;
  note((struct head){fails ? SYNC_FAILED : SYNC, fd, 0, 0, id}, NULL);
  leave();
  if (sync_us > 0) usleep((id * 2654435761u >> 8) % sync_us);
  if (fails) { errno = error; return -1; }
  int done = trace >= 0 ? 0 : syscall(call, fd);
  enter();
  if (done == 0) note((struct head){SYNCED, fd, 0, 0, id}, NULL);
  leave();
  return done;
}
int fsync(int fd) { return sync_any(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_any(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
  char old[PATH_MAX], new[2 * PATH_MAX];
  const char *a = below(AT_FDCWD, from, old), *b = below(AT_FDCWD, to, new);
  if (!a || !b) return syscall(SYS_rename, from, to);
  enter();
  int done = syscall(SYS_rename, from, to);
  size_t la = strlen(a), lb = strlen(b);
  char both[2 * PATH_MAX];
  memcpy(both, a, la + 1);
  memcpy(both + la + 1, b, lb);
  int error = errno;
  if (done == 0) note((struct head){RENAMED, 0, 0, la + 1 + lb, 0}, both);
  leave();
  errno = error;
  return done;
}

static int name_call(uint32_t type, int at, const char *path, int flags, mode_t mode) {
  char whole[PATH_MAX];
  const char *name = below(at, path, whole);
  if (name) enter();
  int done = type == MKDIR ? syscall(SYS_mkdirat, at, path, mode) : syscall(SYS_unlinkat, at, path, flags);
  int error = errno;
  if (name && done == 0) note_path(type, 0, 0, name);
  if (name) leave();
  errno = error;
  return done;
}
int unlink(const char *path) { return name_call(UNLINKED, AT_FDCWD, path, 0, 0); }
int rmdir(const char *path) { return name_call(RMDIR, AT_FDCWD, path, AT_REMOVEDIR, 0); }
int unlinkat(int at, const char *path, int flags) { return name_call(flags & AT_REMOVEDIR ? RMDIR : UNLINKED, at, path, flags, 0); }
int mkdir(const char *path, mode_t mode) { return name_call(MKDIR, AT_FDCWD, path, 0, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return name_call(MKDIR, at, path, 0, mode); }
