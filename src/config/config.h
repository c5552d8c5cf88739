/* The configuration of a run: an INI file, overridden by --set, with a default for every key but data.train.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/error.h"
#include "base/numbers.h"
#include "base/text.h"
#include "net/net.h"
#include "optim/optim.h"

#include <stddef.h>
#include <stdint.h>

/* How the sequences of an epoch are put in order. */
enum shuffle {
    SHUFFLE_FULL,    /* all of them permuted */
    SHUFFLE_WINDOWS, /* windows of the file, and what is in each two of them (data/plan.h) */
    SHUFFLE_NONE     /* as in the file */
};

enum best { BEST_LOSS, BEST_ERROR };

/* What becomes of a step whose loss or gradient is no finite number, or whose loss explodes. */
enum divergence {
    DIVERGENCE_ABORT, /* the run ends */
    DIVERGENCE_SKIP,  /* the step updates nothing */
    DIVERGENCE_BACK   /* the run goes back to a checkpoint, with a lower rate from there on */
};

enum {
    CONFIG_KEYS_MOST = 80, /* room for what is kept per key */
    CONFIG_PATTERNS = 4096 /* bytes of a list of patterns */
};

/* Where a key got its value: from a line, an override, the run that goes on, or the table. */
struct key_state {
    int line;             /* of the file; 0: not there */
    const char *override; /* "SECTION.KEY=VALUE" that came last; NULL: none */
    int inherited;
    size_t items;           /* of a list; 0: the default */
    int former;             /* the value came under the key's former name */
    int faulty;             /* a fault of it has been told */
    char shown[TEXT_SHOWN]; /* the value as it was given, for messages */
};

struct config {
    const char *name; /* of the file, for messages; the caller's, as are the overrides */
    struct key_state keys[CONFIG_KEYS_MOST]; /* by the rows of config_keys */
    struct {
        char **train, **valid; /* absolute paths, the last is NULL; valid NULL where there is no set */
        int standardize;
        size_t cache; /* bytes: of what a node keeps decoded, or of a rank's chunks */
        enum shuffle shuffle;
        size_t window; /* bytes */
    } data;
    /* [model], and of [train] what the network does itself: noise on inputs and what the loss is made of.
     * inputs, symbols, outputs and target_length are the dataset's: 0 here, set by model_bind
     * (pass/model.h), as are sizes of the decoder that are 0. */
    struct net_config model;
    struct {
        int64_t batch, microbatch, epochs;
        size_t activation_memory; /* bytes that a rank's pass over a microbatch takes at most; 0: any */
        int64_t truncate; /* frames of the pieces that sequences are worked off in; 0: they are whole */
        char freeze[CONFIG_PATTERNS];  /* patterns of names of parameters, with blanks between */
        char rate_of[CONFIG_PATTERNS]; /* each with a factor of its rate behind it */
        struct optim_config optim;     /* total_steps is 0 here */
        uint64_t seed;
        double weight_noise; /* deviation of what is added to the weights in a step */
        int64_t patience;
        enum divergence on_divergence;
        double explode;     /* a loss so many times the epoch's mean so far is divergence; 0: none is */
        double back_factor; /* of the rate, each time the run goes back */
        double watchdog;    /* seconds after which a rank that does not answer ends the run; 0: never */
    } train;
    struct {
        int64_t every[INTERVALS]; /* by what it counts; 0: not by that */
        int64_t keep;
        enum best best;
    } checkpoint;
    struct {
        double every;          /* seconds */
        int64_t gradient_flow; /* epochs from one measurement to the next; 0: never */
    } report;
};

void config_init(struct config *config); /* the defaults */
void config_finish(struct config *config);

/* Reads the file `path` (config/ini.h), then the overrides "SECTION.KEY=VALUE" in order, and checks each key
 * by itself. Relative paths of the file are relative to it, those of overrides to the current folder; both
 * become absolute. Every fault goes to `faults`, naming file, line, key, and what is allowed; a key under its
 * former name is a warning. Returns -1 where there was a fault; *config then only serves config_check and
 * config_finish. */
int config_read_keys(struct config *config, const char *path, size_t overrides, const char *const *override,
    struct faults *faults);

/* Checks what keys say together, those with a fault of their own left out: to be asked once all values are
 * known, which of a run that goes on they are after config_inherit. Returns the number of faults. */
size_t config_check(struct config *config, struct faults *faults);

/* Does both. Returns -1 where there was a fault. */
int config_read(struct config *config, const char *path, size_t overrides, const char *const *override,
    struct faults *faults);

/* Takes overrides on a configuration that comes from no file, whose members the caller has set, and checks
 * what keys say together; data.train may be missing. Faults name `name` where config_read names the file. */
int config_override(struct config *config, const char *name, size_t overrides, const char *const *override,
    struct faults *faults);

/* Writes the full resolved configuration as an INI text that config_read takes, the caller's
 * (memory_destroy). Without paths (for a checkpoint) data.train and data.valid are left out. Equal
 * configurations give equal bytes. */
char *config_write(const struct config *config, int with_paths, struct error *error);

/* Fills *config from the text of a checkpoint's configuration, which has no paths. A key under its former
 * name is read without a word, unless `faults` has a `warn`. Returns -1 where there was a fault. To be ended
 * by config_finish either way. */
int config_read_saved(struct config *config, const char *saved, struct faults *faults);

/* Gives the keys that neither file nor override gave a value, but paths, that of a checkpoint's
 * configuration: the run goes on as it was begun, whatever has become of a default. Each that changes is a
 * warning of `faults` (NULL: none is told). Nothing changes where the text cannot be read. */
void config_inherit(struct config *config, const char *saved, struct faults *faults);

/* Compares with the text of a checkpoint's configuration, which *config has inherited from: every key that
 * was given another value, unless its row lets a resumed run change it (config/keys.h), is a fault with both
 * values and a hint at --fresh and --init. Returns the number of faults. */
size_t config_compare(const struct config *config, const char *saved, struct faults *faults);

#endif
