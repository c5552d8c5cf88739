#include "comm/rank.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>

void comm_version(char *text, size_t size)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING + 1] = {0};
    int length;
    MPI_Get_library_version(version, &length);
    version[strcspn(version, ",\r\n")] = 0; /* what follows is who built it, and when */
    for (char *c = version; *c; c++)
        if (*c == '\t')
            *c = ' ';
    const char *number = strncmp(version, "Open MPI v", 10) == 0 ? version + 10 : NULL;
    snprintf(text, size, "%s%s", number ? "Open MPI " : "", number ? number : version);
}
