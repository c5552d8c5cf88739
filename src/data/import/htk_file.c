#include "data/import/htk_file.h"

#include <inttypes.h>

enum {
    HEADER_BYTES = 12,
    KIND_BITS = 077,
    COMPRESSED = 02000,
    CHECKED = 010000,
    QUANTIZED = 040000,
    CHECK_BYTES = 2,
    BLOCK = 256 /* floats */
};

/* What the low bits of a kind say, where there are no floats. */
static const char *describe_kind(unsigned kind)
{
    switch (kind & KIND_BITS) {
    case 0:
        return "a waveform: compute features from it (HCopy, or the kind audio)";
    case 5:
        return "of the kind IREFC, 16-bit integers: convert it (HCopy)";
    case 10:
        return "of the kind DISCRETE, symbols: convert it to features";
    default:
        if (kind & QUANTIZED)
            return "quantized (_V): convert it (HCopy)";
        return kind & COMPRESSED ? "compressed (_C): convert it (HCopy with SAVECOMPRESSED = F)" : NULL;
    }
}

static int take_header(struct htk_file *htk, struct error *error)
{
    unsigned char header[HEADER_BYTES];
    if (bounded_read(&htk->file, header, sizeof header, "the header of an HTK file", error) != 0)
        return -1;
    htk->frames = (int32_t)bounded_big_32(header);
    htk->period = (int32_t)bounded_big_32(header + 4);
    unsigned bytes = bounded_big_16(header + 8), kind = bounded_big_16(header + 10);
    const char *refused = describe_kind(kind);
    if (refused)
        return error_set(error, EXIT_CODE_DATA, "%s: is %s", htk->file.path, refused);
    if (htk->frames <= 0 || bytes == 0 || bytes % 4 != 0)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has %" PRId32 " frames of %u bytes: it is damaged, or no HTK file", htk->file.path,
            htk->frames, bytes);
    int64_t whole = HEADER_BYTES + (int64_t)htk->frames * bytes + (kind & CHECKED ? CHECK_BYTES : 0);
    if (whole != htk->file.size)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %" PRId32 " frames of %u bytes make a file of %" PRId64 " bytes, but it has %" PRId64
            ": it is damaged, cut off, or no HTK file",
            htk->file.path, htk->frames, bytes, whole, htk->file.size);
    htk->features = bytes / 4;
    return 0;
}

int htk_open(struct htk_file *htk, const char *path, struct error *error)
{
    struct htk_file opened = {0};
    if (bounded_open(&opened.file, path, "an HTK file", error) != 0)
        return -1;
    if (take_header(&opened, error) != 0) {
        htk_close(&opened);
        return -1;
    }
    *htk = opened;
    return 0;
}

void htk_close(struct htk_file *htk)
{
    bounded_close(&htk->file);
    *htk = (struct htk_file){0};
}

int htk_read_frame(struct htk_file *htk, float *frame, struct error *error)
{
    unsigned char block[4 * BLOCK];
    for (size_t first = 0; first < htk->features; first += BLOCK) {
        size_t some = htk->features - first < BLOCK ? htk->features - first : BLOCK;
        if (bounded_read(&htk->file, block, 4 * some, "a frame", error) != 0)
            return -1;
        for (size_t i = 0; i < some; i++)
            frame[first + i] = bounded_float(bounded_big_32(block + 4 * i));
    }
    return 0;
}
