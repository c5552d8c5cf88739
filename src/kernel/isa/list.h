/* The instruction sets of this kind of processor, in rising order: ISA(name of its file in this folder).
 * kernel/vector.h says what such a file defines, meson.build which flags compilers take for it. */
ISA(generic)
#if defined __x86_64__
ISA(avx2)
ISA(avx512)
#elif defined __aarch64__
ISA(neon)
#endif
