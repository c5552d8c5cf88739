/* What a fuzzer calls with every input, here and in libFuzzer: one of fuzz_config.c, fuzz_dataset.c and
 * fuzz_checkpoint.c. Built with clang's libFuzzer each is a program that makes up inputs, else one that reads
 * those in the folders and files it is given (replay.c). */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A file in memory that holds the bytes; its path, and the descriptor to close. */
int fuzz_file(const uint8_t *bytes, size_t size, char path[static 64]);

#endif
