/* Waits as libfaketime should have them.

   A signal handler that interrupts libfaketime's epoll_wait reads the real time instead of the moved one:
   no timeout of PostgreSQL fires, not even deadlock_timeout. In libfaketime 0.9.10 (Ubuntu 24.04),
   clock_nanosleep moves the monotonic clock too: time.sleep of Python 3.11 fails.
   cnd_timedwait, by which librdkafka waits, takes a moved time for a real one: it waits for years. */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

int epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds)
{
    return syscall(SYS_epoll_pwait, epoll, events, count, milliseconds, NULL, 0);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *requested, struct timespec *remaining)
{
    return syscall(SYS_clock_nanosleep, clock, flags, requested, remaining) ? errno : 0;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    int error = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}
