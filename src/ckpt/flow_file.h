/* gradient_flow.csv of a run directory: the curves of gradient flow as they were measured, epoch by epoch. A
 * run that never measures any has no such file. */
#ifndef CKPT_FLOW_FILE_H
#define CKPT_FLOW_FILE_H

#include "base/error.h"
#include "ckpt/checkpoint.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct flow_file;

/* Opens the file for adding behind the rows that a run has at this point (at->rows of them, the last of epoch
 * at->epoch); what lies behind them is cut off. Where rows are missing or something else stands there, or the
 * name is a link, the file is made anew of what is left and of the curves `at`, at->rows becomes how many
 * these are, and `warning` (empty otherwise) says so. `model` has the names of the directions, and is kept by
 * reference. Owned by the caller, ended by flow_file_close. NULL and an error where it cannot be opened. */
struct flow_file *flow_file_open(const char *directory, const struct net_config *model,
    struct flow_record *at, char *warning, size_t size, struct error *error);

/* Adds the rows of the curves of `at`, all or none, and counts them there. */
int flow_file_add(struct flow_file *file, struct flow_record *at, struct error *error);

/* Makes the rows durable: a checkpoint that counts on them is written afterwards. A file that somebody
 * removed, replaced or changed meanwhile is made anew as by flow_file_open. */
int flow_file_sync(
    struct flow_file *file, struct flow_record *at, char *warning, size_t size, struct error *error);
void flow_file_close(struct flow_file *file); /* may be NULL */

/* Write the header, and the rows of curves of an epoch. */
void flow_file_print_header(FILE *stream);
void flow_file_print(
    FILE *stream, const struct net_config *model, int64_t epoch, const struct flow_curves *curves);

#endif
