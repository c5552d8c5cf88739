#include "support/suite.h"

#include <stdlib.h>

/* Places that fall on one slot displace each other, and are told of more often. Some tests assert in threads.
 */
void suite_mark(const char *file, int line)
{
    enum { SLOTS = 256 };
    static _Thread_local struct {
        const char *file;
        int line;
    } told[SLOTS];
    unsigned slot = (unsigned)line % SLOTS;
    if (told[slot].file == file && told[slot].line == line)
        return;
    told[slot].file = file;
    told[slot].line = line;
    (_mark_point)(file, line);
}

int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed || !ran ? EXIT_FAILURE : EXIT_SUCCESS;
}
