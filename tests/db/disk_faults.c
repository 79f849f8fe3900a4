/* Preloaded into a server: what the file FAULT_FILE says happens to each file whose path holds FAULT_PATH.
   "errno N": it can't be written. "slow MS": writing takes that long. "clock S": the clock is so many seconds ahead. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long wanted(const char *kind) {
    char text[64] = "", word[16] = "";
    long number = 0;
    int saved = errno, fd = open(getenv("FAULT_FILE"), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) > 0) sscanf(text, "%15s %ld", word, &number);
        close(fd);
    }
    errno = saved;
    return strcmp(word, kind) ? 0 : number;
}

static int refused(int fd) {
    char link[32], path[1024] = "";
    long fault = wanted("errno"), slow = wanted("slow");
    if (!fault && !slow) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, getenv("FAULT_PATH"))) return 0;
    if (slow) usleep(slow * 1000);
    errno = fault;
    return fault != 0;
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return refused(fd) ? -1 : REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return refused(fd) ? -1 : REAL(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, data, size, at);
}
ssize_t write(int fd, const void *data, size_t size) {
    return refused(fd) ? -1 : REAL(ssize_t, write, int, const void *, size_t)(fd, data, size);
}
int fsync(int fd) { return refused(fd) ? -1 : REAL(int, fsync, int)(fd); }
int fdatasync(int fd) { return refused(fd) ? -1 : REAL(int, fdatasync, int)(fd); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = REAL(int, clock_gettime, clockid_t, struct timespec *)(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += wanted("clock");
    return answer;
}
