/* The instruction sets of this kind of processor, in rising order: ISA(name of its file in this folder). Of
 * the flags that compilers take for each the build files know. What such a file defines kernel/vector.h
 * says. */
ISA(generic)
#if defined __x86_64__
ISA(avx2)
ISA(avx512)
#elif defined __aarch64__
ISA(neon)
#endif
