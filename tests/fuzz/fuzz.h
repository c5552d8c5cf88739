/* What a fuzzer calls with every input, under libFuzzer's name for it: one of the files fuzz_NAME.c. Built by
 * AFL++ each is a fuzzer (alone.c), else a test that reads the files and folders it is given (replay.c). */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Inputs that were accepted so far: seeds must be. */
extern int fuzz_accepted;

/* A file that holds the bytes, in TMPDIR or else in memory where there is /dev/shm: HDF5 wants one with a
 * name. The name is that of the process that forked this one off, one input after the other, so that no more
 * than one file is left behind by inputs that crash. */
enum { FUZZ_PATH_BYTES = 256 };
void fuzz_file_name(long parent, char path[static FUZZ_PATH_BYTES]);
void fuzz_file_make(const uint8_t *bytes, size_t size, char path[static FUZZ_PATH_BYTES]);

#endif
