/* A subject's network computed by a team of threads. */
#ifndef TESTS_REFERENCE_TEAM_H
#define TESTS_REFERENCE_TEAM_H

#include "subject.h"

/* As subject_run, by so many members. */
void team_run(struct subject *subject, const struct net_pass *pass, const struct microbatch *microbatch,
    size_t members, struct result *result);

/* Runs it by so many members and returns what differs by any bit from what one came to (a word, or the name
 * of a parameter with another gradient, which the subject keeps); NULL: nothing does. */
const char *team_compare(struct subject *subject, const struct net_pass *pass,
    const struct microbatch *microbatch, size_t members, const struct result *alone);

#endif
