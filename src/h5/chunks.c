/* Chunked sets: what they may take of memory, and reading them piece by piece.
 *
 * HDF5 describes every chunk that a read touches in some 7 KB before it begins. So no read is handed to it
 * that touches more than MOST_CHUNKS of them: a larger one is halved at a border of chunks until it is small
 * enough. That is faster too, since its lists of chunks get slower with their length.
 *
 * A cache of chunks is for chunks that have to be decoded, or of which the rows of a read lie in many places.
 * It keeps what was used last (w0 = 0): with w0 = 1 HDF5 never lets go of a chunk of which a part was not
 * read, and sequences in shuffled order leave nearly all of them so. Plain chunks of whole rows are read
 * where they lie, as a set in one piece is: HDF5 would otherwise fetch a whole chunk for each sequence.
 *
 * A cache has slots, and a chunk only its own: of two with the same slot each puts the other out, however
 * much room there is. HDF5 numbers chunks in the order of the file and takes the rest of a division by the
 * slots. As two windows of a file are read at once, they would meet in some slots again and again; so a cache
 * has as many slots as there are numbers, where that costs little beside its chunks. */
#include "h5/internal.h"

enum {
    MOST_CHUNKS = 64,         /* that one read of HDF5 touches */
    LEAST_SLOTS = 521,        /* of a cache: HDF5's default */
    MOST_SLOTS = 1 << 20,     /* of a cache */
    SLOTS_A_CHUNK = 10,       /* as HDF5's manual advises */
    BYTES_BESIDE_CHUNK = 512, /* that a cache takes for a chunk beside its values: entry and slots */
    PART_OF_SLOTS = 16        /* of the bytes of its chunks, that a cache takes for more slots at most */
};

/* ---- caches ---- */

void h5_find_chunks(struct h5_set *set, hid_t creation)
{
    hsize_t sizes[H5S_MAX_RANK] = {0};
    int dimensions = H5Pget_layout(creation) == H5D_CHUNKED ? H5Pget_chunk(creation, H5S_MAX_RANK, sizes) : 0;
    for (int d = 0; d < H5_MOST_DIMENSIONS; d++)
        set->chunk[d] = d < dimensions ? sizes[d] : 0;
}

size_t h5_chunk_bytes(const struct h5_set *set)
{
    size_t bytes = set->chunk[0] ? set->shape.bytes : 0;
    for (int d = 0; d < set->shape.dimensions; d++)
        bytes *= (size_t)set->chunk[d];
    return bytes;
}

hsize_t h5_count_chunks(const struct h5_set *set)
{
    hsize_t chunks = set->chunk[0] ? 1 : 0;
    for (int d = 0; chunks && d < set->shape.dimensions; d++)
        chunks *= ((hsize_t)set->shape.size[d] + set->chunk[d] - 1) / set->chunk[d];
    return chunks;
}

/* Is a chunk as it lies in the file what a read wants, one run of bytes? */
static int is_plain(const struct h5_set *set, hid_t creation)
{
    int plain = H5Pget_nfilters(creation) == 0;
    for (int d = 1; d < set->shape.dimensions; d++)
        plain = plain && set->chunk[d] >= (hsize_t)set->shape.size[d];
    return plain;
}

static size_t next_prime(size_t n)
{
    for (n |= 1;; n += 2) {
        size_t d = 3;
        while (d * d <= n && n % d)
            d += 2;
        if (d * d > n)
            return n;
    }
}

/* How many chunks the set may keep of what is left of the file's cache: one at least, below which every read
 * of a row would decode a chunk anew. */
static size_t take_chunks(struct h5_file *file, const struct h5_set *set)
{
    size_t cost = h5_chunk_bytes(set) + BYTES_BESIDE_CHUNK, all = (size_t)h5_count_chunks(set);
    size_t chunks = file->cache_left / 4 * 3 / cost;
    if (chunks > all)
        chunks = all;
    file->cache_left -= chunks * cost;
    return chunks ? chunks : 1;
}

/* The numbers that HDF5 gives chunks lie below this: along each dimension but the first it counts with a
 * power of two. */
static size_t count_numbers(const struct h5_set *set)
{
    size_t numbers = 1;
    for (int d = 0; d < set->shape.dimensions && numbers < MOST_SLOTS; d++) {
        size_t along = ((size_t)set->shape.size[d] + set->chunk[d] - 1) / set->chunk[d], power = 1;
        while (d > 0 && power < along)
            power *= 2;
        numbers *= d > 0 ? power : along;
    }
    return numbers;
}

/* Takes what they cost from the file's cache, beyond those that each chunk has. */
static size_t take_slots(struct h5_file *file, const struct h5_set *set)
{
    size_t usual = set->kept * SLOTS_A_CHUNK, numbers = count_numbers(set), item = sizeof(void *);
    size_t most = usual + set->kept * h5_chunk_bytes(set) / PART_OF_SLOTS / item;
    size_t slots = numbers < most ? numbers : most;
    if (slots > MOST_SLOTS)
        slots = MOST_SLOTS;
    if (slots < LEAST_SLOTS)
        return LEAST_SLOTS;
    if (slots <= usual)
        return usual < MOST_SLOTS ? usual : MOST_SLOTS;
    size_t bytes = (slots - usual) * item;
    file->cache_room += bytes;
    file->cache_left -= bytes < file->cache_left ? bytes : file->cache_left;
    return slots;
}

int h5_give_cache(struct h5_file *file, struct h5_set *set, hid_t creation, hid_t access)
{
    set->filtered = H5Pget_nfilters(creation) != 0;
    set->plain = is_plain(set, creation);
    set->kept = set->plain ? 0 : take_chunks(file, set);
    file->cache_room += set->kept * (h5_chunk_bytes(set) + BYTES_BESIDE_CHUNK);
    size_t slots = take_slots(file, set);
    if (H5Pset_chunk_cache(access, next_prime(slots), set->kept * h5_chunk_bytes(set), 0) < 0)
        return -1;
    H5Dclose(set->id);
    set->id = H5Dopen2(file->id, set->name, access);
    return set->id < 0 ? -1 : 0;
}

static void write_chunks(const struct h5_set *set, struct h5_chunks *chunks)
{
    hsize_t beside = 1; /* chunks side by side */
    *chunks = (struct h5_chunks){.filtered = set->filtered};
    if (!set->chunk[0] || set->plain)
        return;
    for (int d = 1; d < set->shape.dimensions; d++)
        beside *= ((hsize_t)set->shape.size[d] + set->chunk[d] - 1) / set->chunk[d];
    chunks->rows = (int64_t)set->chunk[0];
    chunks->bytes = h5_chunk_bytes(set) * (size_t)beside;
    chunks->kept = (int64_t)(set->kept / beside);
}

int h5_look_at_chunks(struct h5_file *file, const char *name, struct h5_chunks *chunks, struct error *error)
{
    h5_lock(file->name, file->bytes);
    const struct h5_set *set = h5_find_set(file, name, error);
    if (set)
        write_chunks(set, chunks);
    h5_unlock();
    return set ? 0 : -1;
}

/* ---- reading ---- */

/* Rows of a set on their way into memory. */
struct reading {
    const struct h5_set *set;
    hid_t type, memory;
    hsize_t first; /* row of the set that is row 0 in memory */
    void *out;
};

/* A part of a set: where it begins and how far it reaches in each dimension. */
struct box {
    hsize_t start[H5_MOST_DIMENSIONS], count[H5_MOST_DIMENSIONS];
};

static int read_box(const struct reading *reading, const struct box *box)
{
    const struct h5_set *set = reading->set;
    struct box in_memory = *box;
    in_memory.start[0] -= reading->first;
    if (H5Sselect_hyperslab(set->space, H5S_SELECT_SET, box->start, NULL, box->count, NULL) < 0 ||
        H5Sselect_hyperslab(reading->memory, H5S_SELECT_SET, in_memory.start, NULL, in_memory.count, NULL) <
            0)
        return -1;
    return H5Dread(set->id, reading->type, reading->memory, set->space, H5P_DEFAULT, reading->out) < 0 ? -1
                                                                                                       : 0;
}

/* The chunks that a box touches along dimension d. */
static hsize_t chunks_along(const struct h5_set *set, const struct box *box, int d)
{
    return (box->start[d] + box->count[d] - 1) / set->chunk[d] - box->start[d] / set->chunk[d] + 1;
}

/* The dimension to halve a box along: that in which it touches the most chunks; -1 where it is small enough.
 */
static int find_longest(const struct h5_set *set, const struct box *box)
{
    hsize_t chunks = 1, most = 0;
    int longest = -1;
    for (int d = 0; set->chunk[0] && d < set->shape.dimensions; d++) {
        hsize_t along = chunks_along(set, box, d);
        chunks *= along;
        if (along > most) {
            most = along;
            longest = d;
        }
    }
    return chunks > MOST_CHUNKS ? longest : -1;
}

static int read_pieces(const struct reading *reading, const struct box *box)
{
    const struct h5_set *set = reading->set;
    int d = find_longest(set, box);
    if (d < 0)
        return read_box(reading, box);
    struct box left = *box, right = *box;
    hsize_t border = (box->start[d] / set->chunk[d] + chunks_along(set, box, d) / 2) * set->chunk[d];
    left.count[d] = border - box->start[d];
    right.start[d] = border;
    right.count[d] -= left.count[d];
    return read_pieces(reading, &left) || read_pieces(reading, &right) ? -1 : 0;
}

int h5_read_rows(const struct h5_set *set, hid_t type, int64_t first, int64_t rows, void *out)
{
    int dimensions = set->shape.dimensions;
    if (dimensions == 0)
        return H5Dread(set->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0 ? -1 : 0;
    struct box box = {{(hsize_t)first}, {(hsize_t)rows}};
    for (int d = 1; d < dimensions; d++) {
        box.count[d] = (hsize_t)set->shape.size[d];
        if (!box.count[d])
            return 0;
    }
    struct reading reading = {set, type, H5Screate_simple(dimensions, box.count, NULL), (hsize_t)first, out};
    if (reading.memory < 0)
        return -1;
    int outcome = rows ? read_pieces(&reading, &box) : 0;
    /* Closing it clears HDF5's error stack, which the caller still has to read. */
    hid_t stack = H5Eget_current_stack();
    H5Sclose(reading.memory);
    H5Eset_current_stack(stack);
    return outcome;
}
