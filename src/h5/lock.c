/* The lock around HDF5 without the trap, for a library that lives in other people's programs: signals, exit
 * and standard error are theirs. What a trap would meet is kept away otherwise: only images are given to HDF5
 * that have a hash of themselves (ckpt/seal.h). HDF5's own reports are switched off while the lock is held,
 * and are as they were before afterwards. */
#include "h5/trap.h"

#include <hdf5.h>
#include <pthread.h>

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

/* Of whoever has HDF5 in the same process; the lock is held. */
static H5E_auto2_t report;
static void *report_context;

void h5_lock(const char *name, uint64_t bytes)
{
    pthread_mutex_lock(&library_lock);
    H5Eget_auto2(H5E_DEFAULT, &report, &report_context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Eclear2(H5E_DEFAULT);
}

void h5_expect_values(void)
{
}

void h5_unlock(void)
{
    H5Eset_auto2(H5E_DEFAULT, report, report_context);
    pthread_mutex_unlock(&library_lock);
}
