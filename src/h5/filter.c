/* Filters of chunks that HDF5 does not have here. Compression other than deflate comes with plugins; without
 * one HDF5 says at the first read that it "can't open directory" of plugins, and neither which filter it
 * wants nor what could be done. A file names its filters by number, and by a name that may be missing or a
 * whole sentence. */
#include "base/text.h"
#include "h5/internal.h"

#include <stdio.h>

enum { LZF = 32000, NAMED = 120 /* bytes for name and number */ };

/* Numbers that the HDF Group has given out. */
static const struct {
    H5Z_filter_t number;
    const char *name;
} known[] = {{H5Z_FILTER_SZIP, "szip"}, {307, "bzip2"}, {LZF, "lzf"}, {32001, "blosc"}, {32004, "lz4"},
    {32008, "bitshuffle"}, {32013, "zfp"}, {32015, "zstd"}, {32026, "blosc2"}};

/* Writes `zstd (32015)`. */
static void name_filter(H5Z_filter_t number, const char *in_file, char named[NAMED])
{
    char shown[TEXT_SHOWN];
    const char *name = text_show(in_file, shown);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == number)
            name = known[i].name;
    if (*name)
        snprintf(named, NAMED, "%s (%d)", name, number);
    else
        snprintf(named, NAMED, "%d", number);
}

/* Finds the first filter of a set that HDF5 does not have among those that a chunk with this mask went
 * through; returns its number, or -1 where all are there. */
static H5Z_filter_t find_missing(hid_t creation, unsigned skipped, char named[NAMED])
{
    int filters = H5Pget_nfilters(creation);
    for (int i = 0; i < filters; i++) {
        char name[256] = "";
        size_t values = 0;
        unsigned flags;
        H5Z_filter_t number =
            H5Pget_filter2(creation, (unsigned)i, &flags, &values, NULL, sizeof name - 1, name, NULL);
        if (number < 0 || H5Zfilter_avail(number) > 0 || (i < 32 && (skipped >> i & 1)))
            continue;
        name_filter(number, name, named);
        return number;
    }
    return -1;
}

static int refuse_filter(const struct h5_file *file, const struct h5_set *set, H5Z_filter_t number,
    const char *named, struct error *error)
{
    const char *remedy = number == LZF
        ? "write the set anew in h5py with compression='gzip'"
        : "set HDF5_PLUGIN_PATH to the folder with its plugin, or run 'h5repack -f GZIP=4 OLD NEW' where the "
          "plugin is";
    H5Eclear2(H5E_DEFAULT);
    return error_set(error, EXIT_CODE_DATA,
        "%s: set /%s needs the filter %s, which HDF5 does not have here: %s", file->name, set->name, named,
        remedy);
}

int h5_check_filters(
    const struct h5_file *file, const struct h5_set *set, hid_t creation, struct error *error)
{
    char named[NAMED];
    unsigned skipped = 0;
    hsize_t start[H5S_MAX_RANK], bytes;
    haddr_t address;
    H5Z_filter_t missing = find_missing(creation, 0, named);
    if (missing >= 0 && H5Dget_chunk_info(set->id, set->space, 0, start, &skipped, &address, &bytes) >= 0)
        missing = find_missing(creation, skipped, named);
    H5Eclear2(H5E_DEFAULT);
    return missing < 0 ? 0 : refuse_filter(file, set, missing, named, error);
}

int h5_unread(
    const struct h5_file *file, const struct h5_set *set, int64_t first, int64_t rows, struct error *error)
{
    char named[NAMED];
    h5_failed(file, error, "set /%s: rows %lld to %lld cannot be read", set->name, (long long)first,
        (long long)(first + rows - 1));
    hid_t creation = H5Dget_create_plist(set->id);
    if (creation < 0)
        return -1;
    H5Z_filter_t missing = find_missing(creation, 0, named);
    H5Pclose(creation);
    return missing < 0 ? -1 : refuse_filter(file, set, missing, named, error);
}
