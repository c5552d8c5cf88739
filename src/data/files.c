/* Offsets are joined once, at the opening: each file's are those of before with what lies before it added.
 * Beyond that a file is only looked up, where rows are read from it or where it is named. */
#include "data/files.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/names.h"
#include "data/structure.h"
#include "data/values.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char remedy[] = "files that make one set have to agree: write one of them anew, or leave it out";

/* ---- what files must have alike ---- */

enum { ABOUT = 80 };

/* Writes how many columns a set of values has, or how many integers it knows; "none" where there is no set.
 */
static void write_about(
    int has, size_t columns, const char *what, int32_t limit, const char *attribute, char about[ABOUT])
{
    if (!has)
        snprintf(about, ABOUT, "none");
    else if (limit)
        snprintf(about, ABOUT, "%s = %" PRId32, attribute, limit);
    else
        snprintf(about, ABOUT, "%zu %s", columns, what);
}

static int require_values(const struct dataset *first, const struct dataset *other, struct error *error)
{
    char is[2][ABOUT], wants[2][ABOUT];
    const struct dataset *both[] = {other, first};
    char(*const about[])[ABOUT] = {is, wants};
    for (int i = 0; i < 2; i++) {
        const struct dataset *d = both[i];
        write_about(1, d->features, "features", d->symbols, "n_symbols", about[i][0]);
        write_about(d->has_targets, d->values, "outputs", d->classes, "n_classes", about[i][1]);
    }
    if (other->version != first->version)
        return error_set(error, EXIT_CODE_DATA, "%s: it has format_version = %d, but %s has %d: %s",
            other->name, other->version, first->name, first->version, remedy);
    if (other->has_weights != first->has_weights)
        return error_set(error, EXIT_CODE_DATA, "%s: has %s target_weights, but %s has %s: %s", other->name,
            other->has_weights ? "a set" : "no", first->name, other->has_weights ? "none" : "them", remedy);
    for (int set = 0; set < 2; set++)
        if (strcmp(is[set], wants[set]) != 0)
            return error_set(error, EXIT_CODE_DATA, "%s: %s: it has %s, but %s has %s: %s", other->name,
                set ? "targets" : "inputs", is[set], first->name, wants[set], remedy);
    return 0;
}

static int require_list(const struct dataset *first, const struct dataset *other, const char *list,
    const struct name_list *wants, const struct name_list *is, struct error *error)
{
    char shown[2][TEXT_SHOWN];
    size_t row = 0;
    if (!is->text || !wants->text)
        return !is->text == !wants->text
            ? 0
            : error_set(error, EXIT_CODE_DATA, "%s: has %s %s, but %s has %s: %s", other->name,
                  is->text ? "a set" : "no", list, first->name, is->text ? "none" : "them", remedy);
    while (row < is->n && strcmp(is->text[row], wants->text[row]) == 0)
        row++;
    if (row == is->n)
        return 0;
    return error_set(error, EXIT_CODE_DATA, "%s: %s: row %zu is \"%s\", but in %s it is \"%s\": %s",
        other->name, list, row, text_show(is->text[row], shown[0]), first->name,
        text_show(wants->text[row], shown[1]), remedy);
}

/* Lists have as many names as there are features and so on: structure_check sees to it. */
static int require_names(struct dataset *first, struct dataset *other, struct error *error)
{
    struct net_names wants = {0}, is = {0};
    int failed = dataset_read_names(first, &wants, error) || dataset_read_names(other, &is, error);
    for (size_t i = 0; i < NAMES_LISTS && !failed; i++)
        failed = require_list(first, other, names_lists[i], &wants.list[i], &is.list[i], error);
    net_names_finish(&wants);
    net_names_finish(&is);
    return failed ? -1 : 0;
}

static const char *name_kind(const struct dataset *dataset)
{
    static const char *const names[] = {[TARGET_FRAME] = "one target a frame",
        [TARGET_SEQUENCE] = "one target a sequence",
        [TARGET_ANY] = "any number of targets a sequence"};
    return names[dataset->target_kind];
}

/* By its numbers alone a file with any number of targets a sequence may look like one of another kind. So
 * files go together where the whole has a kind that is theirs, or that one of them has by itself and the
 * others, which have offsets too, may have had by chance. */
static int require_kind(
    const struct dataset *whole, struct dataset *const *part, size_t n, struct error *error)
{
    const struct dataset *any = NULL, *other = NULL;
    if (whole->target_kind != TARGET_ANY)
        return 0;
    for (size_t i = 0; i < n && !any; i++)
        any = part[i]->target_kind == TARGET_ANY ? part[i] : NULL;
    for (size_t i = 0; i < n && !other; i++)
        other = any ? (part[i]->target_offsets ? NULL : part[i])
                    : (part[i]->target_kind != part[0]->target_kind ? part[i] : NULL);
    if (!other)
        return 0;
    const struct dataset *first = any ? any : part[0];
    return error_set(error, EXIT_CODE_DATA, "%s: targets: it has %s, but %s has %s: %s", other->name,
        name_kind(other), first->name, name_kind(first), remedy);
}

/* Sizes in memory must be numbers; h5 sees to that of each file alone. */
static int require_size(const struct dataset *whole, struct error *error)
{
    static const double most = 4e18;
    size_t inputs = whole->symbols ? 1 : whole->features;
    size_t targets = (whole->classes ? 1 : whole->values) + (whole->has_weights ? 1 : 0);
    if (sizeof(float) * ((double)whole->frames * (double)inputs + (double)whole->targets * (double)targets) <
        most)
        return 0;
    return error_set(
        error, EXIT_CODE_DATA, "%s: has more values than any memory: take fewer files", whole->name);
}

/* ---- joining ---- */

char *files_make_name(const char *path, size_t more, struct error *error)
{
    if (!more)
        return text_copy(path, error);
    size_t size = strlen(path) + 40;
    char *name = memory_create(size, 1, error);
    if (name)
        snprintf(name, size, "%s and %zu more", path, more);
    return name;
}

static int make_room(struct dataset *whole, size_t n, int has_target_offsets, struct error *error)
{
    size_t offsets = (size_t)whole->sequences + 1;
    whole->file = memory_create(n, sizeof *whole->file, error);
    whole->input_offsets = memory_create(offsets, sizeof *whole->input_offsets, error);
    if (has_target_offsets)
        whole->target_offsets = memory_create(offsets, sizeof *whole->target_offsets, error);
    return whole->file && whole->input_offsets && (whole->target_offsets || !has_target_offsets) ? 0 : -1;
}

/* Adds the file of a part, which it takes, and its offsets. */
static void append(struct dataset *whole, struct dataset *part)
{
    struct dataset_file *file = &whole->file[whole->files++];
    *file = *part->file;
    part->files = 0;
    file->first[PART_SEQUENCES] = whole->sequences;
    file->first[PART_INPUTS] = whole->frames;
    file->first[PART_TARGETS] = whole->targets;
    const int64_t *targets = part->target_offsets ? part->target_offsets : part->input_offsets;
    for (int64_t s = 0; s <= part->sequences; s++) {
        whole->input_offsets[whole->sequences + s] = whole->frames + part->input_offsets[s];
        if (whole->target_offsets)
            whole->target_offsets[whole->sequences + s] = whole->targets + targets[s];
    }
    whole->sequences += part->sequences;
    whole->frames += part->frames;
    whole->targets += part->targets;
    whole->longest = part->longest > whole->longest ? part->longest : whole->longest;
}

static int join(struct dataset *whole, struct dataset *const *part, size_t n, struct error *error)
{
    const struct dataset *first = part[0];
    int has_target_offsets = 0;
    *whole = (struct dataset){.features = first->features,
        .symbols = first->symbols,
        .has_targets = first->has_targets,
        .version = first->version,
        .has_weights = first->has_weights,
        .classes = first->classes,
        .values = first->values};
    for (size_t i = 0; i < n; i++) {
        whole->sequences += part[i]->sequences;
        has_target_offsets |= part[i]->target_offsets != NULL;
    }
    whole->name = files_make_name(first->name, n - 1, error);
    if (!whole->name || make_room(whole, n, has_target_offsets, error))
        return -1;
    whole->sequences = 0;
    for (size_t i = 0; i < n; i++)
        append(whole, part[i]);
    if (whole->has_targets)
        whole->target_kind = structure_find_target_kind(whole);
    return require_kind(whole, part, n, error) || require_size(whole, error) ? -1 : 0;
}

int files_join(struct dataset *whole, struct dataset *const *part, size_t n, struct error *error)
{
    for (size_t i = 1; i < n; i++)
        if (require_values(part[0], part[i], error) || require_names(part[0], part[i], error))
            return -1;
    return join(whole, part, n, error);
}

static size_t count_bytes(const struct dataset *dataset, const struct values *values, size_t file)
{
    return (size_t)values_count_rows(dataset, values, file) * values->width * sizeof(float);
}

size_t files_count_values(const struct dataset *dataset, size_t file)
{
    struct values list[VALUES_MOST];
    size_t bytes = 0, n = values_of_all(dataset, list);
    for (size_t i = 0; i < n; i++)
        bytes += count_bytes(dataset, &list[i], file);
    return bytes;
}

/* ---- descriptors ---- */

enum { BESIDE = 256 }; /* descriptors that are left for messages, checkpoints and the like */

/* A new descriptor is the lowest that is free: about as many as there are now. */
static size_t count_descriptors(void)
{
    int next = open("/", O_RDONLY | O_CLOEXEC);
    if (next >= 0)
        close(next);
    return next < 0 ? 0 : (size_t)next;
}

int files_reserve(const char *name, size_t n, struct error *error)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)(n + count_descriptors() + BESIDE);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
        return 0;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
        return error_set(error, EXIT_CODE_IO,
            "%s: these are %zu files, which stay open at once, but a process here may open %llu files: allow "
            "%llu (ulimit -n), or write the set as fewer files",
            name, n, (unsigned long long)limit.rlim_max, (unsigned long long)needed);
    limit.rlim_cur = needed;
    setrlimit(RLIMIT_NOFILE, &limit); /* else opening says so */
    return 0;
}

/* ---- which files ---- */

char *dataset_write_files(const struct dataset *dataset, struct error *error)
{
    char *text = memory_create(dataset->files + 1, FILE_IDENTITY_TEXT, error), *to = text;
    for (size_t i = 0; text && i < dataset->files; i++) {
        if (i > 0)
            *to++ = '\n';
        file_write_identity(&dataset->file[i].identity, to);
        to += strlen(to);
    }
    return text;
}

int dataset_is_in_files(const struct dataset *dataset, const char *text)
{
    for (size_t i = 0; i < dataset->files; i++) {
        struct file_identity before;
        char line[FILE_IDENTITY_TEXT];
        size_t n = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), text);
        if (file_read_identity(line, &before) || !file_is_same(&before, &dataset->file[i].identity))
            return 0;
        text += n;
        if (*text == '\n' && i + 1 < dataset->files)
            text++;
    }
    return *text == '\0';
}
