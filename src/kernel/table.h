/* The builds of this program. */
#ifndef KERNEL_TABLE_H
#define KERNEL_TABLE_H

#include "kernel/kernel.h"

#define ISA(name) extern const struct kernel kernel_##name;
#include "kernel/isa/list.h"
ISA(plain)
#undef ISA

#endif
