/* What a machine can do, in a few numbers: rnn-bench --machine measures them and writes them as a text that
 * rnn-train --plan --machine reads. Seconds, and bytes or operations a second; 2 operations per multiply-add.
 */
#ifndef CONFIG_CONSTANTS_H
#define CONFIG_CONSTANTS_H

#include "base/error.h"
#include "net/types.h"

enum { CONSTANTS_WIDTHS = 5 };
extern const size_t constants_widths[CONSTANTS_WIDTHS]; /* units of a layer, rising */

enum {
    CONSTANTS_CELLS = 0
#define CELL(enumerator, name, kind, arithmetic, file) +1
#include "kernel/cells/list.h"
#undef CELL
};

struct constants {
    double ranks, nodes;             /* of the measurement: ranks of a node, nodes */
    double peak_alone, peak_all;     /* operations of a core, alone and while all ranks of its node compute */
    double memory_alone, memory_all; /* bytes that one rank moves, and all of a node together */
    double meeting, meeting_all;     /* two ranks of a node meet, and all */
    double latency_inside, latency_between;     /* an empty message within a node, and to another one */
    double bandwidth_inside, bandwidth_between; /* of a pair of ranks, and of all ranks of a node */
    double fraction[CONSTANTS_CELLS][CONSTANTS_WIDTHS]; /* of peak_all that a pass over a layer reaches */
};

/* Writes the file. The only errors are those of file_replace. */
int constants_write(const struct constants *constants, const char *path, struct error *error);

/* Reads it. A number that is missing or not above zero is an error, but for those that one rank or one node
 * cannot measure, which are 0 then. */
int constants_read(struct constants *constants, const char *path, struct error *error);

/* The fraction for a layer of so many units, between those that were measured. */
double constants_fraction(const struct constants *constants, enum cell cell, size_t units);

#endif
