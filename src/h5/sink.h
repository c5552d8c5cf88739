/* A driver of HDF5 by which it builds a file that is ours: base/file.h writes it under no name until it is
 * whole. HDF5 never hears of a failure to write, as it would abort the process at its end then: the first is
 * kept, nothing more is written, and whoever builds the file asks for it. */
#ifndef H5_SINK_H
#define H5_SINK_H

#include "base/error.h"
#include "base/file.h"

#include <hdf5.h>

struct h5_sink {
    struct file_writer *writer;
    haddr_t bytes;      /* of the file so far */
    hid_t driver;       /* that writes into it */
    struct error error; /* the first failure; code 0: none */
};

/* Makes `access` create a file in the sink, whose other members are set. Returns -1 where HDF5 refuses. Ended
 * by h5_sink_finish, also after a failure, once the file is closed: HDF5 looks into its driver until then. */
int h5_sink_use(struct h5_sink *sink, hid_t access);
void h5_sink_finish(struct h5_sink *sink);

#endif
