/* A subject's network computed by a team of threads. */
#ifndef TESTS_REFERENCE_TEAM_H
#define TESTS_REFERENCE_TEAM_H

#include "subject.h"

/* As subject_run, by so many members. */
void team_run(struct subject *subject, const struct net_pass *pass, const struct microbatch *microbatch,
    size_t members, struct result *result);

#endif
