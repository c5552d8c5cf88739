#include "pass/file_watch.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/files.h"

#include <string.h>

/* Hashes which files these are, and on which host. */
static uint64_t hash_place(const struct comm *comm, const struct dataset *dataset, struct error *error)
{
    char *text = dataset_write_files(dataset, error);
    uint64_t files = text ? hash_bytes(text, strlen(text)) : 0;
    memory_destroy(text);
    return hash_combine(hash_bytes(comm->host, strlen(comm->host)), files);
}

/* All ranks call. Fills numbers [ranks] with the number of each. */
static void gather(const struct comm *comm, uint64_t own, uint64_t *numbers)
{
    memset(numbers, 0, (size_t)comm->ranks * sizeof *numbers);
    numbers[comm->rank] = own;
    comm_sum_uint64(comm, numbers, (size_t)comm->ranks);
}

/* The ranks that have opened the same file on the same host as this one. */
struct watch_group {
    int member, members; /* which of how many this rank is */
    int is_first;        /* rank 0 is among them */
};

static struct watch_group find_group(const uint64_t *numbers, const struct comm *comm)
{
    struct watch_group group = {.is_first = numbers[comm->rank] == numbers[0]};
    for (int r = 0; r < comm->ranks; r++)
        if (numbers[r] == numbers[comm->rank]) {
            group.member += r < comm->rank;
            group.members++;
        }
    return group;
}

/* All ranks call. Hashes the values that are kept: each group all of its own, and what it finds is compared
 * with what rank 0's group finds, block by block. */
static int compare_kept(const struct file_watch *watch, const struct comm *comm,
    const struct watch_group *group, struct fingerprint *print, struct error *error)
{
    struct value_sums own = {0}, first = {0};
    if (value_sums_init(&own, watch->dataset, error) == 0 &&
        value_sums_init(&first, watch->dataset, error) == 0)
        value_sums_read_missing(
            &own, (size_t)group->member, (size_t)group->members, comm_show_life_of, comm, error);
    int failed = comm_agree(comm, error);
    if (!failed) {
        if (group->is_first && first.sum)
            memcpy(first.sum, own.sum, value_sums_count(&own) * sizeof *own.sum);
        comm_sum_uint64(comm, first.sum, value_sums_count(&first));
        value_sums_compare(&own, &first, error);
        value_sums_take(&first, print);
        failed = comm_agree(comm, error);
    }
    value_sums_finish(&own);
    value_sums_finish(&first);
    return failed;
}

/* All ranks call. Ranks that do not look have rank 0's print too, afterwards. */
static int compare_hosts(struct file_watch *watch, const struct comm *comm, uint64_t seed,
    struct fingerprint *print, struct error *error)
{
    if (watch->looks && dataset_take_sample(watch->dataset, seed, print, error))
        file_watch_explain(watch, error);
    if (comm_agree(comm, error))
        return -1;
    struct fingerprint first = *print;
    comm_broadcast(comm, &first, sizeof first, 0);
    if (watch->looks && (first.shape != print->shape || first.sample != print->sample))
        error_set(error, EXIT_CODE_DATA,
            "%s: what is in this file is not what rank 0 has in its own: give all ranks the same file, or "
            "copy it to this host again",
            watch->dataset->name);
    *print = first;
    return comm_agree(comm, error);
}

/* A set that is kept was read before this, and is not read again. */
static int look_first(struct file_watch *watch, struct error *error)
{
    int failed = file_watch_look_now(watch, error);
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
    uint64_t own = hash_place(comm, dataset, error);
    *watch = (struct file_watch){.dataset = dataset};
    *print = (struct fingerprint){0};
    if (comm_agree(comm, error)) {
        memory_destroy(numbers);
        return -1;
    }
    gather(comm, own, numbers);
    const struct watch_group group = find_group(numbers, comm);
    watch->looks = group.member == 0;
    memory_destroy(numbers);
    if (compare_hosts(watch, comm, seed, print, error) ||
        (dataset_is_kept(dataset) && compare_kept(watch, comm, &group, print, error)))
        return -1;
    look_first(watch, error);
    return comm_agree(comm, error);
}

static int look(struct file_watch *watch, struct error *error)
{
    watch->next = clock_now() + 1;
    return dataset_require_unchanged(watch->dataset, "nothing computed from it since then is kept", error);
}

int file_watch_look_now(struct file_watch *watch, struct error *error)
{
    return watch->looks ? look(watch, error) : 0;
}

int file_watch_explain(struct file_watch *watch, struct error *error)
{
    struct error change;
    if (watch->dataset && look(watch, &change))
        *error = change;
    return -1;
}

int file_watch_look(struct file_watch *watch, struct error *error)
{
    return watch->looks && clock_now() >= watch->next ? file_watch_look_now(watch, error) : 0;
}
