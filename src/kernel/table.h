/* The builds that may be linked into this program. */
#ifndef KERNEL_TABLE_H
#define KERNEL_TABLE_H

#include "kernel/kernel.h"

extern const struct kernel kernel_generic;
#if defined __x86_64__
extern const struct kernel kernel_avx2, kernel_avx512;
#elif defined __aarch64__
extern const struct kernel kernel_neon;
#endif
extern const struct kernel kernel_plain;

#endif
