/*
 * One clock for every process it is preloaded into, running at a rate set from outside.
 *
 *     cc -O2 -shared -fPIC -o timeshim.so timeshim.c -ldl
 *     LD_PRELOAD=./timeshim.so TIMESHIM=/path/to/clock some-program
 *
 * The clock is a file that clockctl.py writes and every process maps. Shown time is
 *
 *     reference + (real monotonic time - real reference) * rate
 *
 * so all processes agree, and a change of rate bends the time without a jump. The rate may
 * be lent until a real instant; from then on shown time passes as real time does, until it
 * is lent again. Reading the time is answered from that formula. Waiting is done in short
 * real slices, after each of which the formula is asked again: a change of rate reaches
 * every waiter within a slice.
 *
 * Each process leaves word of when its main loop last had nothing to do, so that whoever
 * lends the rate sees who cannot follow.
 *
 * For glibc on Linux. Covers what CPython, asyncio and SQLite wait with: epoll, poll,
 * sleeps, semaphores and condition variables. Without TIMESHIM everything is real.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
/* The longest real wait before the clock is asked again; a fast clock is asked often, as
 * what is slept too long is multiplied. */
#define SLICE_NS (10 * NS_PER_MS)
#define FAST_SLICE_NS (2 * NS_PER_MS)
#define REAL_RATE_MILLI 1000
/* A deadline beyond this many seconds is a date, not the time since boot. */
#define EPOCH_SECONDS 1000000000
#define CLOCK_FILE_BYTES 4096
/* Size of the kernel's signal set, which is not that of glibc's sigset_t. */
#define KERNEL_SIGSET_BYTES 8
#define FOLLOWERS 16
/* In place of an instant: it waits without end. */
#define WAITING INT64_MAX

/* A process that shares the clock. */
struct follower {
  int64_t pid;
  int64_t free_at; /* real ns at which its main loop last had nothing to do */
};

/* The layout of the clock file; clockctl.py knows the same. Odd sequence: being written. */
struct clock_file {
  int64_t sequence;
  int64_t real_ref;  /* ns of the real CLOCK_MONOTONIC */
  int64_t wall_ref;  /* ns since 1970 shown at real_ref */
  int64_t mono_ref;  /* ns of the shown monotonic clock at real_ref */
  int64_t rate_milli;
  int64_t lent_until; /* real ns, from which on the rate is 1 */
  int64_t unused[2];
  struct follower followers[FOLLOWERS];
};

static volatile struct clock_file *shared;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_clock_nanosleep)(clockid_t, int, const struct timespec *,
                                   struct timespec *);
static int (*real_poll)(struct pollfd *, nfds_t, int);
static int (*real_sem_clockwait)(sem_t *, clockid_t, const struct timespec *);
static int (*real_cond_timedwait)(pthread_cond_t *, pthread_mutex_t *,
                                  const struct timespec *);
static int (*real_cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t,
                                  const struct timespec *);

__attribute__((constructor)) static void set_up(void) {
  if (real_clock_gettime)
    return;
  real_clock_nanosleep = dlsym(RTLD_NEXT, "clock_nanosleep");
  real_poll = dlsym(RTLD_NEXT, "poll");
  real_sem_clockwait = dlsym(RTLD_NEXT, "sem_clockwait");
  real_cond_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  real_cond_clockwait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");

  const char *path = getenv("TIMESHIM");
  if (!path)
    return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0)
    return;
  void *map =
      mmap(NULL, CLOCK_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map != MAP_FAILED)
    shared = map;
}

static int64_t to_ns(const struct timespec *time) {
  return time->tv_sec * NS_PER_S + time->tv_nsec;
}

static struct timespec from_ns(int64_t ns) {
  struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
  return time;
}

static int64_t real_monotonic(void) {
  struct timespec time;
  real_clock_gettime(CLOCK_MONOTONIC, &time);
  return to_ns(&time);
}

static int is_wall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

/* Whether this clock is bent; CPU time clocks stay real. */
static int is_ours(clockid_t clock) {
  return shared && (is_wall(clock) || clock == CLOCK_MONOTONIC ||
                    clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW ||
                    clock == CLOCK_BOOTTIME);
}

/* The shown time in ns, and on request the rate it was computed with. */
static int64_t shown_now(int wall, int64_t *rate_milli) {
  for (;;) {
    int64_t before = __atomic_load_n(&shared->sequence, __ATOMIC_ACQUIRE);
    int64_t real_ref = shared->real_ref;
    int64_t shown_ref = wall ? shared->wall_ref : shared->mono_ref;
    int64_t rate = shared->rate_milli;
    int64_t lent = shared->lent_until - real_ref;
    /* Within the same look: a rate that has just ended must not count for longer. */
    int64_t passed = real_monotonic() - real_ref;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if ((before & 1) || before != __atomic_load_n(&shared->sequence, __ATOMIC_RELAXED))
      continue; /* being written */
    if (rate_milli)
      *rate_milli = rate;
    int64_t fast = passed < lent ? passed : lent;
    return shown_ref + (int64_t)((__int128)fast * rate / 1000) + (passed - fast);
  }
}

/* How long to really wait for this much shown time: at most a slice, at least 1 ns. */
static int64_t slice_of(int64_t shown_left, int64_t rate_milli) {
  int64_t most = rate_milli > REAL_RATE_MILLI ? FAST_SLICE_NS : SLICE_NS;
  if (rate_milli <= 0)
    return most;
  __int128 real = (__int128)shown_left * 1000 / rate_milli;
  return real < 1 ? 1 : real > most ? most : (int64_t)real;
}

/* A real absolute deadline, one slice ahead at most. */
static struct timespec next_deadline(int64_t shown_left, int64_t rate_milli) {
  int64_t ahead = shown_left > 0 ? slice_of(shown_left, rate_milli) : 0;
  return from_ns(real_monotonic() + ahead);
}

/* Reading the time. */

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!real_clock_gettime)
    set_up(); /* called by another library's constructor, before ours */
  if (!is_ours(clock))
    return real_clock_gettime(clock, time);
  *time = from_ns(shown_now(is_wall(clock), NULL));
  return 0;
}

int gettimeofday(struct timeval *restrict value, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  value->tv_sec = now.tv_sec;
  value->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result)
    *result = now.tv_sec;
  return now.tv_sec;
}

/* Sleeping. */

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                    struct timespec *remain) {
  if (!is_ours(clock))
    return real_clock_nanosleep(clock, flags, request, remain);
  int wall = is_wall(clock);
  int64_t rate;
  int64_t end = to_ns(request);
  if (!(flags & TIMER_ABSTIME))
    end += shown_now(wall, NULL);
  for (;;) {
    int64_t left = end - shown_now(wall, &rate);
    if (left <= 0)
      return 0;
    struct timespec slice = from_ns(slice_of(left, rate));
    int error = real_clock_nanosleep(CLOCK_MONOTONIC, 0, &slice, NULL);
    if (error) {
      left = end - shown_now(wall, NULL);
      if (remain && !(flags & TIMER_ABSTIME))
        *remain = from_ns(left > 0 ? left : 0);
      return error;
    }
  }
}

int nanosleep(const struct timespec *request, struct timespec *remain) {
  int error = clock_nanosleep(CLOCK_MONOTONIC, 0, request, remain);
  if (!error)
    return 0;
  errno = error;
  return -1;
}

/* Telling whether we can follow. */

/* Our entry among the followers, NULL where there is none: only the main thread counts,
 * which is where a main loop runs. */
static volatile struct follower *own_entry(void) {
  static volatile struct follower *own;
  pid_t pid = getpid();
  if (!shared || syscall(SYS_gettid) != pid)
    return NULL;
  if (own && own->pid == pid)
    return own;
  for (int i = 0; i < FOLLOWERS; i++) {
    int64_t before = shared->followers[i].pid;
    int gone = before == 0 || (kill((pid_t)before, 0) < 0 && errno == ESRCH);
    if (gone && __sync_bool_compare_and_swap(&shared->followers[i].pid, before, pid))
      return own = &shared->followers[i];
  }
  return NULL;
}

static void tell(volatile struct follower *entry, int64_t instant) {
  if (entry)
    __atomic_store_n(&entry->free_at, instant, __ATOMIC_RELEASE);
}

/* Waiting for file descriptors. */

/* Whoever waits shows with every slice that it is awake: one that is not scheduled may
 * have work that it does not know of. */
static int wait_slices(int set, struct epoll_event *events, int room, int timeout_ms,
                       const sigset_t *mask, volatile struct follower *entry) {
  int64_t rate;
  int64_t end = shown_now(0, NULL) + timeout_ms * NS_PER_MS;
  for (;;) {
    tell(entry, real_monotonic());
    int64_t left = end - shown_now(0, &rate);
    struct timespec slice = from_ns(left > 0 ? slice_of(left, rate) : 0);
    int ready = syscall(SYS_epoll_pwait2, set, events, room, &slice, mask,
                        KERNEL_SIGSET_BYTES);
    if (ready < 0 && errno == ENOSYS) /* before Linux 5.11: whole milliseconds only */
      ready = syscall(SYS_epoll_pwait, set, events, room, left > 0, mask,
                      KERNEL_SIGSET_BYTES);
    if (ready || left <= 0)
      return ready;
  }
}

static int wait_epoll(int set, struct epoll_event *events, int room, int timeout_ms,
                      const sigset_t *mask) {
  int ready = 0;
  /* What is there already is work: only who finds nothing has caught up. */
  if (shared || timeout_ms == 0)
    ready = syscall(SYS_epoll_pwait, set, events, room, 0, mask, KERNEL_SIGSET_BYTES);
  if (ready || timeout_ms == 0)
    return ready;
  volatile struct follower *entry = own_entry();
  if (shared && timeout_ms > 0)
    return wait_slices(set, events, room, timeout_ms, mask, entry);
  tell(entry, WAITING);
  ready = syscall(SYS_epoll_pwait, set, events, room, timeout_ms, mask,
                  KERNEL_SIGSET_BYTES);
  int error = errno;
  tell(entry, real_monotonic());
  errno = error;
  return ready;
}

int epoll_wait(int set, struct epoll_event *events, int room, int timeout_ms) {
  return wait_epoll(set, events, room, timeout_ms, NULL);
}

int epoll_pwait(int set, struct epoll_event *events, int room, int timeout_ms,
                const sigset_t *mask) {
  return wait_epoll(set, events, room, timeout_ms, mask);
}

int poll(struct pollfd *files, nfds_t count, int timeout_ms) {
  if (!real_poll)
    set_up();
  if (!shared || timeout_ms <= 0)
    return real_poll(files, count, timeout_ms);
  int64_t rate;
  int64_t end = shown_now(0, NULL) + timeout_ms * NS_PER_MS;
  for (;;) {
    int64_t left = end - shown_now(0, &rate);
    int slice_ms = left > 0 ? (int)(slice_of(left, rate) / NS_PER_MS) : 0;
    int ready = real_poll(files, count, left > 0 && slice_ms == 0 ? 1 : slice_ms);
    if (ready || left <= 0)
      return ready;
  }
}

/* Waiting for other threads. */

int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                  const struct timespec *restrict deadline) {
  if (!is_ours(clock))
    return real_sem_clockwait(semaphore, clock, deadline);
  int64_t rate;
  for (;;) {
    int64_t left = to_ns(deadline) - shown_now(is_wall(clock), &rate);
    struct timespec slice = next_deadline(left, rate);
    int result = real_sem_clockwait(semaphore, CLOCK_MONOTONIC, &slice);
    if (result == 0 || errno != ETIMEDOUT || left <= 0)
      return result;
  }
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
  return sem_clockwait(semaphore, CLOCK_REALTIME, deadline);
}

int pthread_cond_clockwait(pthread_cond_t *restrict condition,
                           pthread_mutex_t *restrict mutex, clockid_t clock,
                           const struct timespec *restrict deadline) {
  if (!is_ours(clock))
    return real_cond_clockwait(condition, mutex, clock, deadline);
  int64_t rate;
  int64_t left = to_ns(deadline) - shown_now(is_wall(clock), &rate);
  struct timespec slice = next_deadline(left, rate);
  int result = real_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &slice);
  if (result != ETIMEDOUT)
    return result;
  /* Between slices the condition may have been signalled unseen, so do not go on
   * waiting here: report a spurious wake-up, which every caller has to expect. */
  return to_ns(deadline) > shown_now(is_wall(clock), NULL) ? 0 : ETIMEDOUT;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition,
                           pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline) {
  if (!shared)
    return real_cond_timedwait(condition, mutex, deadline);
  /* The condition knows whether it counts from 1970 or from boot; the size tells us. */
  clockid_t clock = deadline->tv_sec > EPOCH_SECONDS ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  return pthread_cond_clockwait(condition, mutex, clock, deadline);
}
