#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int fuzz_accepted;

void fuzz_file_name(long parent, char path[static FUZZ_PATH_BYTES])
{
    const char *folder = getenv("TMPDIR");
    if (!folder)
        folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, FUZZ_PATH_BYTES, "%s/rnn-fuzz-%ld", folder, parent);
}

void fuzz_file_make(const uint8_t *bytes, size_t size, char path[static FUZZ_PATH_BYTES])
{
    fuzz_file_name(getppid(), path);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (size_t done = 0; file >= 0 && done < size;) {
        ssize_t n = write(file, bytes + done, size - done);
        if (n <= 0)
            abort();
        done += (size_t)n;
    }
    if (file < 0)
        abort();
    close(file);
}
