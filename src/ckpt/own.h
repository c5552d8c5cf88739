/* Which files of a run directory are the run's own. People copy checkpoints, put them back and keep some of
 * them under names of ours; only what the run wrote itself is replaced or removed.
 *
 * A run has an identifier, made when it begins, which stands in /provenance of every checkpoint and in
 * `status`. A checkpoint is the run's own where it has this identifier and is of the step that its name says.
 * Before format 5 there were no identifiers: such a file is the run's own where metrics.csv knew its step
 * when this process began, and so is a damaged one, whose content cannot be asked. One that only a newer
 * program reads never is. */
#ifndef CKPT_OWN_H
#define CKPT_OWN_H

#include "base/error.h"
#include "base/identity.h"
#include "ckpt/directory.h"

enum { OWN_RUN = 17 }; /* bytes of an identifier, its end included */

/* Checkpoints that were read and found not to be the run's, by the identity of their files. */
struct others {
    struct file_identity *file;
    size_t count, room;
};

/* What rank 0 knows of its run directory. The rest than the first two members starts as zeroes. */
struct own {
    const char *directory;
    void (*warn)(void *context, const char *text); /* NULL: warnings are not told */
    void *context;
    char run[OWN_RUN];  /* identifier of the run; "": none is known yet */
    int64_t known;      /* the last step in metrics.csv when this process began */
    struct steps noted; /* of checkpoints that are there, and that this process knows to be the run's */
    struct others others;
    int has_checkpoint; /* this process has written or loaded one */
    int best_is_ours;   /* this process has written best.h5, or found it to be the run's */
};
void own_finish(struct own *own);

/* Gives the run an identifier that no other has. */
void own_begin_run(struct own *own);

/* Is the checkpoint of this step, which is there, the run's own? */
int own_checkpoint(struct own *own, int64_t step);

/* Removes the checkpoint of this step, which is the run's own. Returns -1 and errno. */
int own_remove(struct own *own, int64_t step);

/* Makes sure that the name of the checkpoint of a step, or best.h5, is free or the run's own: a file of
 * somebody else gets another name beside it, which a warning tells. */
int own_claim_step(struct own *own, int64_t step, struct error *error);
int own_claim_best(struct own *own, struct error *error);

/* Notes that this process has written the checkpoint of this step. */
void own_note(struct own *own, int64_t step);

#endif
