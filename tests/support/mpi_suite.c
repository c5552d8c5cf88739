#include "support/mpi_suite.h"

#include "support/command.h"

#include <stdlib.h>
#include <unistd.h>

static struct comm world; /* Check hands its tests no context */

const struct comm *mpi_suite_comm(void)
{
    return &world;
}

int mpi_first_failing(int ok)
{
    int64_t distance = ok ? 0 : world.ranks - world.rank; /* largest where the rank is lowest */
    comm_max_int64(&world, &distance, 1);
    return distance ? world.ranks - (int)distance : -1;
}

int mpi_suite_run(Suite *suite, const char *program, unsigned seconds)
{
    alarm((unsigned)(seconds * command_patience()));
    comm_start(&world, &(struct comm_purpose){.program = program}, NULL);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, world.rank == 0 ? CK_ENV : CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    comm_finish(&world);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
