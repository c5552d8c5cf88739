/* Checkpoints as rnn-model reads and writes them: no run is at hand, and the file is any that a user names.
 * Nothing here is collective, and there is no MPI. */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include "ckpt/checkpoint.h"

#include <limits.h>

struct stored {
    char path[PATH_MAX]; /* of the file: best.h5 where a run directory was named */
    int sealed;          /* 1: its hash line is there, and right unless the file is an edited one */
    struct checkpoint checkpoint;
};

/* Reads a checkpoint that is sound: its parameters are those of the network that it names. *stored starts
 * from zeroes, and is ended by stored_finish also after a failure. */
int stored_read(struct stored *stored, const char *named, enum checkpoint_trust trust, struct error *error);
void stored_finish(struct stored *stored);

/* Makes a checkpoint of a network that net_config_check has no objection to, bound to its inputs and outputs:
 * weights are zeroes, and keys that say nothing of the network have their defaults. *stored starts from
 * zeroes, and is ended by stored_finish also after a failure. */
int stored_begin(struct stored *stored, const struct net_config *network, struct error *error);

/* Leaves weights alone of it: optimizer and progress go, and /provenance says that `command` made it now. */
int stored_keep_weights(struct stored *stored, const char *command, struct error *error);

/* Takes the hash of the weights as they are, and writes the file whole or not at all (base/file.h). */
int stored_write(struct stored *stored, const char *path, struct error *error);

/* Bytes of a file. */
struct file_piece {
    const void *bytes;
    size_t size;
};

/* Writes the pieces one behind the other as a file, whole or not at all. */
int store_write_pieces(const char *path, const struct file_piece *pieces, size_t n, struct error *error);

#endif
