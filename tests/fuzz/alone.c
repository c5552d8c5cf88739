/* A fuzzer for AFL++: reads an input from standard input, or from the file that it is given, and ends. For
 * HDF5 each input needs a process of its own (FUZZ_INPUTS 1): what one has done to the library must not meet
 * the next. AFL++ forks them off here, behind the start of HDF5.
 *
 * What counts as a crash is ours: a signal, a failed assertion, what a sanitizer finds in our code, more
 * memory than LIMIT_KIB. HDF5's own crashes end in its trap (h5/trap.h), with an exit code. The address
 * sanitizer watches HDF5 too where it calls memcpy and the like; what it finds there ends likewise, unless
 * the memory is ours: then we may have told HDF5 of more than there is. */
#define _GNU_SOURCE /* dladdr */

#include "fuzz/fuzz.h"
#include "h5/h5.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LIMIT_KIB = 1 << 20, MOST_BYTES = 1 << 20, FRAMES = 128 };

void __asan_on_error(void);
void *__asan_get_report_address(void);
size_t __asan_get_alloc_stack(void *address, void **trace, size_t size, int *thread);

static int is_in_hdf5(const void *code)
{
    Dl_info info;
    return dladdr(code, &info) && info.dli_fname && strstr(info.dli_fname, "libhdf5");
}

/* Is it memory that was asked for from outside HDF5? */
static int is_ours(void *address)
{
    void *trace[FRAMES];
    int thread;
    size_t n = address ? __asan_get_alloc_stack(address, trace, FRAMES, &thread) : 0;
    for (size_t i = 0; i < n; i++)
        if (is_in_hdf5(trace[i]))
            return 0;
    return n > 0;
}

/* Does HDF5 stand on the stack? */
static int came_through_hdf5(void)
{
    void *trace[FRAMES];
    int n = backtrace(trace, FRAMES);
    for (int i = 0; i < n; i++)
        if (is_in_hdf5(trace[i]))
            return 1;
    return 0;
}

/* The sanitizer calls it before it tells what it has found and aborts, which the trap takes for HDF5's crash
 * wherever the lock is held, unless we say so. */
void __asan_on_error(void)
{
    if (!came_through_hdf5() || is_ours(__asan_get_report_address()))
        signal(SIGABRT, SIG_DFL);
}

static void run_input(int file)
{
    static uint8_t whole[MOST_BYTES];
    size_t size = 0;
    for (ssize_t n; size < sizeof whole && (n = read(file, whole + size, sizeof whole - size)) > 0;)
        size += (size_t)n;
    uint8_t *bytes = malloc(size ? size : 1); /* as long as the input: reading behind it shows */
    if (!bytes)
        abort();
    memcpy(bytes, whole, size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > LIMIT_KIB)
        abort();
}

/* What is said goes behind the file RNN_FUZZ_LOG: each trapped crash is a line in it. */
static void open_log(void)
{
    const char *path = getenv("RNN_FUZZ_LOG");
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (file >= 0)
        dup2(file, STDERR_FILENO);
}

int main(int argc, char **argv)
{
    char version[64];
    int file = argc > 1 ? open(argv[1], O_RDONLY) : STDIN_FILENO;
    if (file < 0) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    open_log();
    h5_version(version, sizeof version);
    __AFL_INIT();
    while (__AFL_LOOP(FUZZ_INPUTS)) {
        lseek(file, 0, SEEK_SET);
        run_input(file);
    }
    return EXIT_SUCCESS;
}
