/* Sources of other programs as the set of rnn-predict --import: read by rank 0 into a file that nobody else
 * knows, which all ranks open, and whose name is gone as soon as they have. */
#ifndef PREDICT_IMPORTED_H
#define PREDICT_IMPORTED_H

#include "predict/model.h"
#include "predict/options.h"

#include <limits.h>

struct predict_imported {
    char path[PATH_MAX];  /* "": nothing was imported */
    char *files[2];       /* the path, then NULL */
    char *const *sources; /* as the options had them; NULL ends them */
    int named;            /* on rank 0: the file has its name */
};

/* All ranks call, and all get the same outcome. Where the options ask for it, imports the sources in place of
 * the files of options->dataset as what the model reads, and makes options->dataset the file; then notes
 * signals to stop, which end the process while rank 0 waits for its source. *imported (zeroes) is ended by
 * predict_imported_remove, also after a failure; until then options->dataset refers to it. */
int predict_import(struct predict_imported *imported, struct predict_options *options,
    const struct comm *comm, const struct predict_model *model, struct error *error);

/* Each rank calls this for itself. Opens options->dataset as dataset_open_files does, if it is what the model
 * reads, with the names that it knows (pass/names.h, which rank 0 compares). One that was imported has the
 * name of its sources; where another host does not see it, the error says why. */
struct dataset *predict_open_set(const struct predict_imported *imported, const struct comm *comm,
    const struct predict_options *options, const struct predict_model *model, struct error *error);

/* Takes the name from the file, which those who have opened it go on reading. */
void predict_imported_remove(struct predict_imported *imported);

#endif
