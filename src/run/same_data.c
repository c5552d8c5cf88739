#include "run/same_data.h"

#include "base/log.h"
#include "data/files.h"
#include "data/names.h"
#include "pass/model.h"
#include "pass/names.h"

#include <inttypes.h>
#include <stdio.h>

/* What is compared, and what to do about a difference. */
struct comparison {
    struct sets *sets;
    const char *directory; /* the run's */
    int accept;
};

static struct dataset *get_set(const struct sets *sets, int i)
{
    return i == DATA_TRAIN ? sets->train : sets->valid;
}

/* Tells a difference of a set, `what` being which: an error, or a warning where it is accepted. */
static int tell_difference(const struct comparison *comparison, int i, const char *what, struct error *error)
{
    const struct dataset *set = get_set(comparison->sets, i);
    const char *kind = i == DATA_TRAIN ? "training set" : "validation set";
    const char *path = set ? set->name : "data.valid";
    if (!comparison->accept)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s is not the data this run was begun with (%s: %s): give the same data, or "
            "--accept-changed-data to go on with these, or --fresh to start over, or -o DIR --init "
            "CHECKPOINT to start another run from these weights",
            comparison->directory, path, kind, what);
    log_line(LOG_WARNING, "%s: %s is not the data this run was begun with (%s: %s): it goes on with these",
        comparison->directory, path, kind, what);
    return 0;
}

/* ---- shapes, offsets, names ---- */

/* Formats before 5. */
static int compare_former(
    const struct comparison *comparison, const struct checkpoint *checkpoint, struct error *error)
{
    uint64_t fingerprint = 0;
    if (dataset_former_fingerprint(comparison->sets->train, &fingerprint, error))
        return -1;
    if (fingerprint != checkpoint->fingerprint)
        return tell_difference(comparison, DATA_TRAIN, "shapes, offsets or targets differ", error);
    log_line(LOG_WARNING,
        "%s: its checkpoint has format %" PRId64 ", which knows shapes, offsets and targets of the training "
        "set: whether inputs, names and validation set are those it was begun with cannot be told",
        comparison->directory, checkpoint->version);
    return 0;
}

static int compare_shapes(
    const struct comparison *comparison, const struct checkpoint *checkpoint, struct error *error)
{
    for (int i = 0; i < DATA_SETS; i++) {
        const struct fingerprint *was = &checkpoint->data[i], *is = &comparison->sets->record[i].print;
        const char *what = NULL;
        if (!was->shape != !is->shape)
            what =
                was->shape ? "there was one, and now there is none" : "there was none, and now there is one";
        else if (was->shape != is->shape)
            what = "shapes or offsets differ";
        else if (!was->complete && was->sample != is->sample)
            what = "values differ";
        if (what && tell_difference(comparison, i, what, error))
            return -1;
    }
    return 0;
}

int same_data_names(const struct named_set *set, const char *directory, const struct checkpoint *checkpoint,
    int accept, struct error *error)
{
    struct error why = {0};
    char warning[1024];
    if (net_names_compare(&checkpoint->names, set->names, set->path, &why)) {
        if (!accept)
            return error_set(error, EXIT_CODE_DATA,
                "%s: the names are not those this run was begun with: %s, or --accept-changed-data, or "
                "--fresh to start over",
                directory, why.text);
        log_line(LOG_WARNING,
            "%s: the names are not those this run was begun with: it goes on with these: %s", directory,
            why.text);
    }
    if (checkpoint->version >= 5) {
        net_names_describe_missing(&checkpoint->names, set->names, set->path, warning, sizeof warning);
        if (*warning)
            log_line(LOG_WARNING, "%s", warning);
    }
    return net_names_complete(set->names, &checkpoint->names, error);
}

int same_data_shapes(struct sets *sets, const char *directory, const struct checkpoint *checkpoint,
    int accept, struct error *error)
{
    const struct comparison comparison = {sets, directory, accept};
    int failed = checkpoint->version < 5 ? compare_former(&comparison, checkpoint, error)
                                         : compare_shapes(&comparison, checkpoint, error);
    const struct named_set set = {sets->train->name, &sets->names};
    return failed || same_data_names(&set, directory, checkpoint, accept, error) ? -1 : 0;
}

/* ---- values ---- */

/* What a checkpoint knows of a set; NULL: nothing. */
static const struct fingerprint *get_print(const struct checkpoint *checkpoint, int i)
{
    return checkpoint && checkpoint->data[i].shape ? &checkpoint->data[i] : NULL;
}

/* What is known of a set that is not kept: of one that is, all values have been hashed (pass/file_watch.h).
 */
struct knowledge {
    int is_same_file;  /* as the checkpoint knows wholly: nothing of it need be read again */
    int is_to_be_read; /* now, to compare it with what the checkpoint knows wholly; else as the epoch reads it
                        */
};

/* Rank 0 calls. */
static struct knowledge look_at_set(
    const struct dataset *set, const struct fingerprint *was, const char *files)
{
    struct knowledge knowledge = {0};
    if (!was || !was->complete)
        return knowledge;
    knowledge.is_same_file = files && dataset_is_in_files(set, files);
    knowledge.is_to_be_read = !knowledge.is_same_file && !dataset_is_kept(set);
    if (knowledge.is_to_be_read)
        log_line(LOG_INFO,
            "%s: is another file than before, or was touched: all of it is read, to compare what is in it",
            set->name);
    return knowledge;
}

/* All ranks call. */
static int complete(struct set_record *record, const struct comm *comm, struct error *error)
{
    struct value_sums *sums = &record->sums;
    comm_sum_uint64(comm, sums->sum, value_sums_count(sums));
    if (value_sums_read_missing(
            sums, (size_t)comm->rank, (size_t)comm->ranks, comm_show_life_of, comm, error))
        file_watch_explain(&record->watch, error);
    if (comm_agree(comm, error))
        return -1;
    comm_sum_uint64(comm, sums->sum, value_sums_count(sums));
    value_sums_take(sums, &record->print);
    value_sums_finish(sums);
    return 0;
}

/* All ranks call. Fills the fingerprint of a set, or begins with what an epoch will fill. */
static int take_values(struct set_record *record, const struct comm *comm, struct dataset *set,
    const struct knowledge *knowledge, const struct fingerprint *was, struct error *error)
{
    if (knowledge->is_same_file) {
        if (comm->rank == 0)
            record->print = *was;
        comm_broadcast(comm, &record->print, sizeof record->print, 0);
        return 0;
    }
    value_sums_init(&record->sums, set, error);
    if (comm_agree(comm, error))
        return -1;
    return knowledge->is_to_be_read ? complete(record, comm, error) : 0;
}

/* All ranks call. What was found good when the run began is good where it is the same. */
static int check_set(struct sets *sets, int i, const struct net_config *model,
    const struct checkpoint *checkpoint, struct error *error)
{
    const struct comm *comm = sets->comm;
    struct dataset *set = get_set(sets, i);
    struct set_record *record = &sets->record[i];
    struct knowledge knowledge = {0};
    const struct fingerprint *was = get_print(checkpoint, i);
    if (comm->rank == 0)
        knowledge = look_at_set(set, was, checkpoint ? checkpoint->provenance.files[i] : NULL);
    comm_broadcast(comm, &knowledge, sizeof knowledge, 0);
    int faulty = !knowledge.is_same_file &&
        model_require_targets(model, set, (size_t)comm->rank, (size_t)comm->ranks, error);
    sets_look(sets, faulty, error);
    if (comm_agree_on_parts(comm, error))
        return -1;
    return record->print.complete ? 0 : take_values(record, comm, set, &knowledge, was, error);
}

static int compare_values(
    const struct comparison *comparison, int i, const struct fingerprint *was, struct error *error)
{
    const struct fingerprint *is = &comparison->sets->record[i].print;
    if (!was->complete || !is->complete)
        return 0;
    int inputs = was->inputs != is->inputs, targets = was->targets != is->targets;
    if (!inputs && !targets)
        return 0;
    const char *what = inputs && targets ? "inputs and targets differ"
        : inputs                         ? "inputs differ"
                                         : "targets differ";
    return tell_difference(comparison, i, what, error);
}

int same_data_values(struct sets *sets, const struct net_config *model, const char *directory,
    const struct checkpoint *checkpoint, int accept, struct error *error)
{
    const struct comm *comm = sets->comm;
    const struct comparison comparison = {sets, directory, accept};
    const struct checkpoint *before =
        comm->rank == 0 && checkpoint && checkpoint->version >= 5 ? checkpoint : NULL;
    if (comm->rank == 0 && sets->valid)
        names_check(&sets->names, sets->valid, error);
    if (comm_agree(comm, error))
        return -1;
    for (int i = 0; i < DATA_SETS; i++) {
        if (!get_set(sets, i))
            continue;
        if (check_set(sets, i, model, before, error))
            return -1;
        if (get_print(before, i))
            compare_values(&comparison, i, get_print(before, i), error);
        if (comm_agree(comm, error))
            return -1;
    }
    return 0;
}

int same_data_complete(struct sets *sets, struct error *error)
{
    for (int i = 0; i < DATA_SETS; i++)
        if (get_set(sets, i) && !sets->record[i].print.complete &&
            complete(&sets->record[i], sets->comm, error))
            return -1;
    return 0;
}
