#define _GNU_SOURCE /* memfd_create */

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int fuzz_file(const uint8_t *bytes, size_t size, char path[static 64])
{
    int file = memfd_create("input", MFD_CLOEXEC);
    for (size_t done = 0; file >= 0 && done < size;) {
        ssize_t n = write(file, bytes + done, size - done);
        if (n <= 0)
            abort();
        done += (size_t)n;
    }
    if (file < 0)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}
