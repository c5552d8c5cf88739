/* What has not been written reads as zeroes, as in a file with holes; so does everything once a write has
 * failed, when nobody needs the file any more. */
#include "h5/sink.h"

#include "h5/internal.h"

#if H5_VERSION_GE(1, 13, 2)
#include <H5FDdevelop.h>
#endif

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An open file, as HDF5 holds it: its own part comes first. */
struct sink_file {
    H5FD_t head;
    struct h5_sink *sink;
    haddr_t end; /* of what HDF5 has given away in it */
};

/* How a list of properties carries the sink. */
struct sink_place {
    struct h5_sink *sink;
};

static H5FD_t *sink_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const struct sink_place *place = H5Pget_driver_info(access);
    struct sink_file *file = place ? calloc(1, sizeof *file) : NULL;
    if (!file)
        return NULL;
    file->sink = place->sink;
    return &file->head;
}

static herr_t sink_close(H5FD_t *head)
{
    free(head);
    return 0;
}

static herr_t sink_query(const H5FD_t *head, unsigned long *flags)
{
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t sink_get_end(const H5FD_t *head, H5FD_mem_t type)
{
    return ((const struct sink_file *)head)->end;
}

static herr_t sink_set_end(H5FD_t *head, H5FD_mem_t type, haddr_t end)
{
    ((struct sink_file *)head)->end = end;
    return 0;
}

static haddr_t sink_get_bytes(const H5FD_t *head, H5FD_mem_t type)
{
    return ((const struct sink_file *)head)->sink->bytes;
}

static herr_t sink_read(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size, void *out)
{
    const struct h5_sink *sink = ((const struct sink_file *)head)->sink;
    size_t done = 0;
    while (sink->error.code == EXIT_CODE_OK && done < size) {
        ssize_t n = pread(sink->writer->file, (char *)out + done, size - done, (off_t)(at + done));
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    memset((char *)out + done, 0, size - done);
    return 0;
}

static herr_t sink_write(
    H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size, const void *bytes)
{
    struct h5_sink *sink = ((struct sink_file *)head)->sink;
    if (sink->error.code == EXIT_CODE_OK)
        file_write(sink->writer, bytes, size, (int64_t)at, &sink->error);
    if (at + size > sink->bytes)
        sink->bytes = at + size;
    return 0;
}

int h5_sink_use(struct h5_sink *sink, hid_t access)
{
    static const H5FD_class_t class = {
#ifdef H5FD_CLASS_VERSION
        .version = H5FD_CLASS_VERSION,
        .value = 400, /* of those that are for anyone's use */
#endif
        .name = "sink",
        .maxaddr = INT64_MAX,
        .fc_degree = H5F_CLOSE_STRONG,
        .fapl_size = sizeof(struct sink_place),
        .open = sink_open,
        .close = sink_close,
        .query = sink_query,
        .get_eoa = sink_get_end,
        .set_eoa = sink_set_end,
        .get_eof = sink_get_bytes,
        .read = sink_read,
        .write = sink_write,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    struct sink_place place = {sink};
    sink->driver = H5FDregister(&class);
    return sink->driver < 0 || H5Pset_driver(access, sink->driver, &place) < 0 ? -1 : 0;
}

void h5_sink_finish(struct h5_sink *sink)
{
    if (sink->driver >= 0)
        H5FDunregister(sink->driver);
}
