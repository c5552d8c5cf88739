/* Crashes and endless loops of HDF5. On some damaged files, and where there is no memory, the library itself
 * crashes, or goes in circles and takes more and more memory. Every call of it in this folder is marked by
 * the macros below; a crash inside one, or one that computes far longer than it should, ends the process with
 * a line that names the file and EXIT_CODE_DATA (EXIT_CODE_INTERNAL where a file was being built), which ends
 * the other ranks too. A crash anywhere else has the effect it always had.
 *
 * To be included instead of hdf5.h. A function of HDF5 that is called for the first time in this folder
 * belongs into the list (tests/unit/hdf5-calls.sh sees to it); where it is a macro of HDF5's own, the call is
 * put into IN_HDF5. What HDF5 calls back is ours again: it begins with h5_trap_leave and ends with
 * h5_trap_enter. */
#ifndef H5_TRAP_H
#define H5_TRAP_H

#include <hdf5.h>
#include <stdint.h>

/* With HDF5's lock held: what happens from now on is this file's. NULL: a file that is being built, which no
 * one can have damaged: only crashes are looked for. */
void h5_trap_begin(const char *name);
void h5_trap_end(void);

/* Between the two: the calls that follow read values, or go through the index of them, in a file of that
 * size, and may take the time and the memory for it. */
void h5_trap_expect(uint64_t file_bytes);

void h5_trap_enter(void);
int64_t h5_trap_leave(int64_t outcome); /* returns it */
int h5_trap_is_inside(void);            /* is the calling thread inside HDF5? For a signal handler too. */

#define IN_HDF5(call) (h5_trap_enter(), h5_trap_leave((int64_t)(call)))

#define H5Aclose(...) IN_HDF5(H5Aclose(__VA_ARGS__))
#define H5Acreate2(...) IN_HDF5(H5Acreate2(__VA_ARGS__))
#define H5Aexists(...) IN_HDF5(H5Aexists(__VA_ARGS__))
#define H5Aget_space(...) IN_HDF5(H5Aget_space(__VA_ARGS__))
#define H5Aget_type(...) IN_HDF5(H5Aget_type(__VA_ARGS__))
#define H5Aopen(...) IN_HDF5(H5Aopen(__VA_ARGS__))
#define H5Aread(...) IN_HDF5(H5Aread(__VA_ARGS__))
#define H5Awrite(...) IN_HDF5(H5Awrite(__VA_ARGS__))
#define H5Dclose(...) IN_HDF5(H5Dclose(__VA_ARGS__))
#define H5Dcreate2(...) IN_HDF5(H5Dcreate2(__VA_ARGS__))
#define H5Dget_create_plist(...) IN_HDF5(H5Dget_create_plist(__VA_ARGS__))
#define H5Dget_offset(...) IN_HDF5(H5Dget_offset(__VA_ARGS__))
#define H5Dget_space(...) IN_HDF5(H5Dget_space(__VA_ARGS__))
#define H5Dget_storage_size(...) IN_HDF5(H5Dget_storage_size(__VA_ARGS__))
#define H5Dget_type(...) IN_HDF5(H5Dget_type(__VA_ARGS__))
#define H5Dopen2(...) IN_HDF5(H5Dopen2(__VA_ARGS__))
#define H5Dread(...) IN_HDF5(H5Dread(__VA_ARGS__))
#define H5Dvlen_reclaim(...) IN_HDF5(H5Dvlen_reclaim(__VA_ARGS__))
#define H5Dwrite(...) IN_HDF5(H5Dwrite(__VA_ARGS__))
#define H5Fclose(...) IN_HDF5(H5Fclose(__VA_ARGS__))
#define H5Fcreate(...) IN_HDF5(H5Fcreate(__VA_ARGS__))
#define H5Fflush(...) IN_HDF5(H5Fflush(__VA_ARGS__))
#define H5Fget_file_image(...) IN_HDF5(H5Fget_file_image(__VA_ARGS__))
#define H5Fget_filesize(...) IN_HDF5(H5Fget_filesize(__VA_ARGS__))
#define H5Fopen(...) IN_HDF5(H5Fopen(__VA_ARGS__))
#define H5Gclose(...) IN_HDF5(H5Gclose(__VA_ARGS__))
#define H5Gcreate2(...) IN_HDF5(H5Gcreate2(__VA_ARGS__))
#define H5Gopen2(...) IN_HDF5(H5Gopen2(__VA_ARGS__))
#define H5Iget_type(...) IN_HDF5(H5Iget_type(__VA_ARGS__))
#define H5Lexists(...) IN_HDF5(H5Lexists(__VA_ARGS__))
#define H5Oclose(...) IN_HDF5(H5Oclose(__VA_ARGS__))
#define H5Oopen(...) IN_HDF5(H5Oopen(__VA_ARGS__))
#define H5Pclose(...) IN_HDF5(H5Pclose(__VA_ARGS__))
#define H5Pcreate(...) IN_HDF5(H5Pcreate(__VA_ARGS__))
#define H5Pget_chunk(...) IN_HDF5(H5Pget_chunk(__VA_ARGS__))
#define H5Pget_external_count(...) IN_HDF5(H5Pget_external_count(__VA_ARGS__))
#define H5Pget_layout(...) IN_HDF5(H5Pget_layout(__VA_ARGS__))
#define H5Pset_alloc_time(...) IN_HDF5(H5Pset_alloc_time(__VA_ARGS__))
#define H5Pset_chunk(...) IN_HDF5(H5Pset_chunk(__VA_ARGS__))
#define H5Pset_chunk_cache(...) IN_HDF5(H5Pset_chunk_cache(__VA_ARGS__))
#define H5Pset_deflate(...) IN_HDF5(H5Pset_deflate(__VA_ARGS__))
#define H5Pset_elink_cb(...) IN_HDF5(H5Pset_elink_cb(__VA_ARGS__))
#define H5Pset_fapl_core(...) IN_HDF5(H5Pset_fapl_core(__VA_ARGS__))
#define H5Pset_file_image(...) IN_HDF5(H5Pset_file_image(__VA_ARGS__))
#define H5Pset_file_image_callbacks(...) IN_HDF5(H5Pset_file_image_callbacks(__VA_ARGS__))
#define H5Pset_file_locking(...) IN_HDF5(H5Pset_file_locking(__VA_ARGS__))
#define H5Pset_fill_time(...) IN_HDF5(H5Pset_fill_time(__VA_ARGS__))
#define H5Pset_meta_block_size(...) IN_HDF5(H5Pset_meta_block_size(__VA_ARGS__))
#define H5Pset_obj_track_times(...) IN_HDF5(H5Pset_obj_track_times(__VA_ARGS__))
#define H5Pset_shuffle(...) IN_HDF5(H5Pset_shuffle(__VA_ARGS__))
#define H5Sclose(...) IN_HDF5(H5Sclose(__VA_ARGS__))
#define H5Screate(...) IN_HDF5(H5Screate(__VA_ARGS__))
#define H5Screate_simple(...) IN_HDF5(H5Screate_simple(__VA_ARGS__))
#define H5Sget_simple_extent_dims(...) IN_HDF5(H5Sget_simple_extent_dims(__VA_ARGS__))
#define H5Sget_simple_extent_ndims(...) IN_HDF5(H5Sget_simple_extent_ndims(__VA_ARGS__))
#define H5Sget_simple_extent_npoints(...) IN_HDF5(H5Sget_simple_extent_npoints(__VA_ARGS__))
#define H5Sget_simple_extent_type(...) IN_HDF5(H5Sget_simple_extent_type(__VA_ARGS__))
#define H5Sselect_hyperslab(...) IN_HDF5(H5Sselect_hyperslab(__VA_ARGS__))
#define H5Tclose(...) IN_HDF5(H5Tclose(__VA_ARGS__))
#define H5Tcopy(...) IN_HDF5(H5Tcopy(__VA_ARGS__))
#define H5Tget_class(...) IN_HDF5(H5Tget_class(__VA_ARGS__))
#define H5Tget_offset(...) IN_HDF5(H5Tget_offset(__VA_ARGS__))
#define H5Tget_precision(...) IN_HDF5(H5Tget_precision(__VA_ARGS__))
#define H5Tget_size(...) IN_HDF5(H5Tget_size(__VA_ARGS__))
#define H5Tget_strpad(...) IN_HDF5(H5Tget_strpad(__VA_ARGS__))
#define H5Tis_variable_str(...) IN_HDF5(H5Tis_variable_str(__VA_ARGS__))
#define H5Tset_cset(...) IN_HDF5(H5Tset_cset(__VA_ARGS__))
#define H5Tset_size(...) IN_HDF5(H5Tset_size(__VA_ARGS__))
#define H5Tset_strpad(...) IN_HDF5(H5Tset_strpad(__VA_ARGS__))
#define H5Zfilter_avail(...) IN_HDF5(H5Zfilter_avail(__VA_ARGS__))
#define H5free_memory(...) IN_HDF5(H5free_memory(__VA_ARGS__))
#define H5get_libversion(...) IN_HDF5(H5get_libversion(__VA_ARGS__))

#endif
