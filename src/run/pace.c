/* Each rank tells with its scores how long it computed in the step and how long it has waited for others
 * since it last told, so the waits of a step are known with the next one. */
#include "run/run.h"

#include <stdio.h>

void run_note_pace(struct run *run, const double *busy, double waited)
{
    if (run->comm->rank != 0)
        return;
    for (int r = 0; r < run->comm->ranks; r++)
        run->pace.busy[r] += busy[r];
    run->pace.waited += waited;
}

void run_tell_pace(struct run *run, char *text, size_t size)
{
    struct pace *pace = &run->pace;
    int slowest = 0;
    for (int r = 1; r < run->comm->ranks; r++)
        if (pace->busy[r] > pace->busy[slowest])
            slowest = r;
    double share = pace->seconds > 0 ? pace->waited / pace->seconds / run->comm->ranks : 0;
    snprintf(text, size, "slowest=%d@%s wait=%.2f", slowest,
        run->hosts ? run->hosts + HOST_WIDTH * slowest : run->comm->host, share < 1 ? share : 1);
    for (int r = 0; r < run->comm->ranks; r++)
        pace->busy[r] = 0;
    pace->waited = pace->seconds = 0;
}
