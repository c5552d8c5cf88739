/* No vectors at all: the build of the plain twins, which tests compare the others with. */
#ifndef KERNEL_ISA_PLAIN_H
#define KERNEL_ISA_PLAIN_H

#define BUILD(name) name##_plain
#define ISA_NAME "plain"
#define ISA_IS_PLAIN

INLINE int isa_runs(void)
{
    return 1;
}

#endif
