/* A parameter file of HTK (the HTK Book 3.4, section 5.10.1): a header of 12 bytes and frames of 32-bit
 * floats, the highest byte first. */
#ifndef DATA_IMPORT_HTK_FILE_H
#define DATA_IMPORT_HTK_FILE_H

#include "data/import/bounded.h"

struct htk_file {
    struct bounded_file file;
    int32_t frames, period; /* between frames, in units of 100 ns */
    size_t features;
};

/* Opens a file and holds its header against its size. Refuses waveforms, discrete and compressed data. On
 * success the caller owes htk_close, which also takes zeroes. */
int htk_open(struct htk_file *htk, const char *path, struct error *error);
void htk_close(struct htk_file *htk);

/* Reads the next frame: [features]. */
int htk_read_frame(struct htk_file *htk, float *frame, struct error *error);

#endif
