/* Waits that libfaketime does not intercept. Signal handlers that run during those that it does read the
   real time instead of the moved one: PostgreSQL's timeouts, deadlock_timeout among them, never fire then. */

#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

int epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds)
{
    return syscall(SYS_epoll_pwait, epoll, events, count, milliseconds, NULL, 0);
}
