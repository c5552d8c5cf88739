#include "pass/file_watch.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

/* Hashes which file this is, and on which host. */
static uint64_t hash_place(const struct comm *comm, const struct file_identity *identity)
{
    char text[FILE_IDENTITY_TEXT];
    file_write_identity(identity, text);
    return hash_combine(hash_bytes(comm->host, strlen(comm->host)), hash_bytes(text, strlen(text)));
}

/* All ranks call. Fills numbers [ranks] with the number of each. */
static void gather(const struct comm *comm, uint64_t own, uint64_t *numbers)
{
    memset(numbers, 0, (size_t)comm->ranks * sizeof *numbers);
    numbers[comm->rank] = own;
    comm_sum_uint64(comm, numbers, (size_t)comm->ranks);
}

static int is_first_of(const uint64_t *numbers, int rank)
{
    int first = 0;
    while (numbers[first] != numbers[rank])
        first++;
    return first == rank;
}

/* All ranks call. Ranks that do not look have rank 0's print too, afterwards. */
static int compare_hosts(struct file_watch *watch, const struct comm *comm, uint64_t seed,
    struct fingerprint *print, struct error *error)
{
    if (watch->looks)
        dataset_take_sample(watch->dataset, seed, print, error);
    if (comm_agree(comm, error))
        return -1;
    struct fingerprint first = *print;
    comm_broadcast(comm, &first, sizeof first, 0);
    if (watch->looks && (first.shape != print->shape || first.sample != print->sample))
        error_set(error, EXIT_CODE_DATA,
            "%s: what is in this file is not what rank 0 has in its own: give all ranks the same file, or "
            "copy it to this host again",
            watch->dataset->path);
    *print = first;
    return comm_agree(comm, error);
}

/* A set that is kept was read before this, and is not read again. */
static int look_first(struct file_watch *watch, struct error *error)
{
    int failed = file_watch_look_now(watch, 0, error);
    if (dataset_is_kept(watch->dataset))
        watch->looks = 0;
    return failed;
}

int file_watch_begin_alone(struct file_watch *watch, struct dataset *dataset, struct error *error)
{
    *watch = (struct file_watch){.dataset = dataset, .looks = 1};
    return look_first(watch, error);
}

int file_watch_begin(struct file_watch *watch, const struct comm *comm, struct dataset *dataset,
    uint64_t seed, struct fingerprint *print, struct error *error)
{
    uint64_t *numbers = memory_create((size_t)comm->ranks, sizeof *numbers, error);
    *watch = (struct file_watch){.dataset = dataset};
    *print = (struct fingerprint){0};
    if (comm_agree(comm, error)) {
        memory_destroy(numbers);
        return -1;
    }
    gather(comm, hash_place(comm, &dataset->identity), numbers);
    watch->looks = is_first_of(numbers, comm->rank);
    memory_destroy(numbers);
    if (compare_hosts(watch, comm, seed, print, error))
        return -1;
    look_first(watch, error);
    return comm_agree(comm, error);
}

int file_watch_look_now(struct file_watch *watch, int all, struct error *error)
{
    struct file_identity now;
    char change[160];
    if (!watch->dataset || (!watch->looks && !all))
        return 0;
    watch->next = clock_now() + 1;
    const struct dataset *dataset = watch->dataset;
    if (h5_identify(dataset->file, &now, error))
        return -1;
    if (!file_describe_change(&dataset->identity, &now, dataset->path, change, sizeof change))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: was changed while it is read: %s: nothing computed from it since then is kept: see that nothing "
        "writes to it, and run the same command again",
        dataset->path, change);
}

int file_watch_look(struct file_watch *watch, struct error *error)
{
    return watch->looks && clock_now() >= watch->next ? file_watch_look_now(watch, 0, error) : 0;
}
