/* What a fuzzer calls with every input, here and in libFuzzer: one of fuzz_config.c, fuzz_dataset.c and
 * fuzz_checkpoint.c. Built with clang's libFuzzer each is a program that makes up inputs, else one that reads
 * those in the folders and files it is given (replay.c). */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Inputs that were accepted so far: seeds must be. */
extern int fuzz_accepted;

/* A file that holds the bytes, in memory where there is /dev/shm. HDF5 wants one with a name. */
void fuzz_file_make(const uint8_t *bytes, size_t size, char path[static 64]);

#endif
