/* The lock around HDF5, which is also a trap for what HDF5 does on damaged files.
 *
 * A build of HDF5 that is not thread-safe must not be entered twice at once, so every entry from outside this
 * folder takes one lock for the whole library. While a thread holds it, a crash of that thread (SIGSEGV and
 * the like) is taken for one of HDF5 on the file that the lock was taken for: the process ends with a line
 * that names the file and with EXIT_CODE_DATA (EXIT_CODE_INTERNAL where a file was being built), which ends
 * the other ranks too. A crash anywhere else has the effect it always had.
 *
 * HDF5 1.10.8 also has loops that do not end and take more and more memory: the list of free places in the
 * heap of a group may lead back to itself, and each turn of the circle is kept. So the memory that reading
 * headers takes is bounded, by arithmetic: what HDF5 keeps of them is decoded from bytes of the file. The
 * densest of them are messages of an object's header, 4 bytes that become a struct of 56, in a table that
 * doubles, and members of a compound type, 15 bytes that become 350, in at most four copies: below 100 bytes
 * of memory for one of the file. H5_BYTES_FOR_ONE of them are allowed, beside what does not depend on the
 * file (a cache of metadata of some MiB, HDF5's own tables, code that is first run): H5_BYTES_FOR_NONE.
 * What counts is memory that the thread itself has touched for the first time, and the process must have
 * grown by as much, so that no other thread's work is mistaken for HDF5's. The look is taken at ticks of the
 * thread's processor time, so that waiting for a disk costs none.
 *
 * Time is not bounded: how long a healthy file takes depends on the machine. A loop that takes no memory, or
 * one in a file so large that memory ends before the bound, is not ended here. None is known. In a job of
 * several ranks the watch of comm/comm.h ends it. */
#ifndef H5_TRAP_H
#define H5_TRAP_H

#include <stdint.h>

enum { H5_BYTES_FOR_ONE = 256, H5_BYTES_FOR_NONE = 256 << 20 };

/* Everything of HDF5 is called between these two, and every constant of it is asked for there too:
 * H5T_NATIVE_FLOAT is a call. What this folder does between them should be no more than that, since its
 * crashes would be taken for HDF5's. `name` and `bytes` are of the file that is read; NULL and 0 where one is
 * built, or where there is none: no one can have damaged it, so that only crashes are looked for. */
void h5_lock(const char *name, uint64_t bytes);
void h5_unlock(void);

/* Between the two: from here on values are read, whose memory is the caller's and bounded by the shape of the
 * set, and that of its chunks. */
void h5_expect_values(void);

#endif
