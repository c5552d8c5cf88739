/* What is in a folder before a run goes into it. */
#ifndef CKPT_PLACE_H
#define CKPT_PLACE_H

#include "base/error.h"

enum place {
    PLACE_FREE, /* not there, or empty: a lock and what a killed process left half written count as nothing */
    PLACE_RUN,  /* a run directory: a file in it can only come from a run */
    PLACE_OTHER /* something else, which must not be touched */
};

/* Looks, and changes nothing. A checkpoint by its name shows a run, and so do a status, a metrics.csv or a
 * lock by their beginnings; a config.ini does not, since people write such files too. */
enum place place_look(const char *directory);

/* Refuses a folder that is neither free nor a run directory, naming a file that is in it. */
int place_check(const char *directory, struct error *error);

/* Refuses a configuration that is the config.ini of this run directory under another name (a link): the run
 * writes that file anew, and what else the name stands for would change or come apart from it. */
int place_check_config(const char *directory, const char *config, struct error *error);

#endif
