/* The file is opened without chunk caches first: a set that fits is read whole, once, and needs none. Only
 * one that does not fit is opened again with the cache for its chunks, so no byte is cached twice. */
#include "data/dataset.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/check.h"
#include "data/files.h"
#include "data/kept.h"
#include "data/structure.h"
#include "data/texts.h"
#include "data/values.h"

enum { CHECK_CACHE = 64 << 20 };

/* A dataset of which nothing but path and file is known. */
static struct dataset *dataset_create(const char *path, size_t cache, struct error *error)
{
    struct dataset *dataset = memory_create(1, sizeof *dataset, error);
    if (!dataset)
        return NULL;
    dataset->name = text_copy(path, error);
    dataset->file = memory_create(1, sizeof *dataset->file, error);
    if (dataset->name && dataset->file) {
        dataset->files = 1;
        struct dataset_file *file = dataset->file;
        file->path = text_copy(path, error);
        file->h5 = file->path ? h5_open(path, cache, error) : NULL;
        if (file->h5 && h5_identify(file->h5, &file->identity, error) == 0)
            return dataset;
    }
    dataset_close(dataset);
    return NULL;
}

void dataset_close(struct dataset *dataset)
{
    if (!dataset)
        return;
    for (size_t i = 0; dataset->file && i < dataset->files; i++) {
        h5_close(dataset->file[i].h5);
        memory_destroy(dataset->file[i].path);
    }
    memory_destroy(dataset->file);
    memory_destroy(dataset->input_offsets);
    memory_destroy(dataset->target_offsets);
    memory_destroy(dataset->own);
    memory_destroy(dataset->block);
    memory_destroy(dataset->name);
    memory_destroy(dataset);
}

int dataset_call(struct dataset *dataset, const char *source, size_t more, struct error *error)
{
    char **names[] = {&dataset->name, &dataset->file->path};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *name = files_make_name(source, more, error);
        if (!name)
            return -1;
        memory_destroy(*names[i]);
        *names[i] = name;
    }
    return 0;
}

/* ---- opening ---- */

static int dataset_keep(struct dataset *dataset, struct error *error)
{
    static const struct kept_share whole = {.parts = 1};
    void *memory = dataset->own = memory_create(kept_count_bytes(dataset), 1, error);
    if (!memory)
        return error_explain_memory(error, dataset->name, "its decoded values: a smaller data.cache takes");
    if (kept_decode_inputs(dataset, &whole, memory, error) ||
        kept_decode_targets(dataset, &whole, memory, error))
        return -1;
    kept_use(dataset, memory);
    return 0;
}

static size_t count_block(const struct dataset *dataset)
{
    struct values list[VALUES_MOST];
    size_t most = 0, n = values_of_all(dataset, list);
    for (size_t i = 0; i < n; i++)
        if (values_block_bytes(&list[i]) > most)
            most = values_block_bytes(&list[i]);
    return most;
}

static int dataset_make_block(struct dataset *dataset, struct error *error)
{
    dataset->block = memory_create(count_block(dataset), 1, error);
    if (!dataset->block)
        return error_explain_memory(error, dataset->name,
            "a block to read it by: a smaller data.cache, train.microbatch or model.hidden take");
    return 0;
}

size_t dataset_count_values(const struct dataset *dataset)
{
    struct values list[VALUES_MOST];
    size_t bytes = 0, n = values_of_all(dataset, list);
    for (size_t i = 0; i < n; i++)
        bytes += values_bytes(&list[i]); /* each is below 2^62: h5 sees to it */
    return bytes;
}

static size_t count_offsets(const struct dataset *dataset)
{
    size_t tables = dataset->target_offsets ? 2 : 1;
    return tables * ((size_t)dataset->sequences + 1) * sizeof *dataset->input_offsets;
}

size_t dataset_count_bytes(const struct dataset *dataset)
{
    return count_offsets(dataset) +
        (dataset_is_kept(dataset) ? dataset_count_values(dataset) : count_block(dataset));
}

size_t dataset_count_run_bytes(struct dataset *dataset, int kept)
{
    struct h5_shape shape;
    if (kept)
        return count_offsets(dataset);
    size_t bytes = dataset_count_bytes(dataset);
    for (size_t i = 0; i < dataset->files; i++) {
        if (dataset->has_targets) /* it gets its cache then, as when it is read */
            h5_look(dataset->file[i].h5, "targets", &shape, NULL);
        if (dataset->has_weights)
            h5_look(dataset->file[i].h5, "target_weights", &shape, NULL);
        bytes += h5_count_cache(dataset->file[i].h5);
    }
    return bytes;
}

/* What is known of the file, its offsets above all, must be true of the one that is read. */
static int open_again(struct dataset_file *file, size_t cache, struct error *error)
{
    struct file_identity now;
    struct h5_shape shape; /* whoever is looked at first gets the larger part of the cache */
    h5_close(file->h5);
    file->h5 = h5_open(file->path, cache, error);
    if (!file->h5 || h5_identify(file->h5, &now, error))
        return -1;
    if (!file_is_same(&file->identity, &now) || file->identity.device != now.device)
        return error_set(error, EXIT_CODE_DATA,
            "%s: was changed or replaced while it was opened: run the same command again", file->path);
    return h5_look(file->h5, "inputs", &shape, error);
}

/* What has become of the file comes before an error that may stem from it. */
static int explain_failure(struct dataset *dataset, struct error *error)
{
    dataset_require_unchanged(dataset, "nothing is read from it", error);
    return -1;
}

int dataset_read_as_asked(struct dataset *dataset, size_t cache, struct error *error)
{
    double all = (double)dataset_count_values(dataset);
    int failed = 0;
    dataset->cache = cache;
    for (size_t i = 0; i < dataset->files && !failed; i++) {
        double share = (double)files_count_values(dataset, i) / all;
        size_t own = dataset->files > 1 ? (size_t)(share * (double)cache) : cache;
        failed = open_again(&dataset->file[i], own, error);
    }
    return failed || dataset_make_block(dataset, error) ? explain_failure(dataset, error) : 0;
}

/* Opens a file as a dataset of its own, without its values. */
static struct dataset *open_structure(const char *path, struct error *error)
{
    struct dataset *dataset = dataset_create(path, 0, error);
    if (!dataset)
        return NULL;
    struct error first = {0};
    struct faults faults = check_open(&first);
    structure_check(dataset, &faults);
    if (!check_close(&faults, &first, error))
        return dataset;
    explain_failure(dataset, error);
    dataset_close(dataset);
    return NULL;
}

/* One part alone is the whole, and is taken. */
static struct dataset *join(struct dataset **part, size_t n, struct error *error)
{
    struct dataset *whole = n == 1 ? part[0] : memory_create(1, sizeof *whole, error);
    if (n == 1)
        part[0] = NULL;
    if (n == 1 || (whole && files_join(whole, part, n, error) == 0))
        return whole;
    dataset_close(whole);
    return NULL;
}

struct dataset *dataset_look(char *const *paths, struct error *error)
{
    size_t n = 0, opened = 0;
    while (paths[n])
        n++;
    struct dataset **part = memory_create(n, sizeof *part, error), *dataset = NULL;
    int failed = !part || (n > 1 && files_reserve(paths[0], n, error));
    for (; opened < n && !failed; opened += !failed) {
        part[opened] = open_structure(paths[opened], error);
        failed = !part[opened];
    }
    if (!failed)
        dataset = join(part, n, error);
    for (size_t i = 0; i < opened; i++)
        dataset_close(part[i]);
    memory_destroy(part);
    return dataset;
}

struct dataset *dataset_open_files(char *const *paths, size_t cache, struct error *error)
{
    struct dataset *dataset = dataset_look(paths, error);
    if (!dataset)
        return NULL;
    dataset->cache = cache;
    int fits = dataset_count_values(dataset) <= cache;
    int failed = fits ? dataset_keep(dataset, error) : dataset_read_as_asked(dataset, cache, error);
    if (!failed)
        return dataset;
    dataset_close(dataset);
    return NULL;
}

struct dataset *dataset_open(const char *path, size_t cache, struct error *error)
{
    char *const paths[] = {(char *)path, NULL};
    return dataset_open_files(paths, cache, error);
}

/* ---- checking all of it ---- */

static void check_all_values(struct dataset *dataset, const struct values *values, struct faults *faults)
{
    struct error error;
    int64_t block = values_block_rows(values), rows;
    void *items = memory_create(values_block_bytes(values), 1, &error);
    if (!items)
        faults_add(faults, (enum exit_code)error.code, "%s: %s", dataset->name, error.text);
    for (int64_t first = 0; items && first < values->rows && !check_is_over(faults); first += rows) {
        rows = values->rows - first < block ? values->rows - first : block;
        if (values_read(dataset, values, first, rows, items, &error))
            faults_add(faults, (enum exit_code)error.code, "%s", error.text);
        else
            check_values(dataset, values, first, rows, items, faults);
    }
    memory_destroy(items);
}

void dataset_check(const char *path, const struct loss_kind *loss, struct faults *faults)
{
    struct error error;
    struct dataset *dataset = dataset_create(path, CHECK_CACHE, &error);
    if (!dataset) {
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
        return;
    }
    dataset->loss = loss;
    structure_check(dataset, faults);
    if (dataset->features || dataset->symbols) {
        struct values inputs = values_of_inputs(dataset);
        check_all_values(dataset, &inputs, faults);
    }
    if (dataset->has_targets) {
        struct values targets = values_of_targets(dataset);
        int per_frame = !h5_has(dataset->file->h5, "target_offsets") && dataset->targets == dataset->frames;
        if (!per_frame)
            targets.offsets = dataset->target_offsets; /* NULL where they are faulty */
        check_all_values(dataset, &targets, faults);
        struct values weights = values_of_weights(dataset);
        weights.offsets = targets.offsets;
        if (dataset->has_weights)
            check_all_values(dataset, &weights, faults);
    }
    texts_check_values(dataset, "names", faults);
    if (dataset_require_unchanged(dataset, DATASET_DOUBT, &error))
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    dataset_close(dataset);
}

/* ---- what is told about it ---- */

struct microbatch_format dataset_format(const struct dataset *dataset)
{
    int any = dataset_has_any_targets(dataset);
    return (struct microbatch_format){
        .inputs = dataset->symbols ? 0 : dataset->features,
        .has_classes = dataset->has_targets && dataset->classes,
        .values = dataset->has_targets ? dataset->values : 0,
        .target_per_frame = dataset->has_targets && !any && dataset->target_kind == TARGET_FRAME,
        .target_any = any,
        .has_weights = dataset->has_weights,
    };
}
