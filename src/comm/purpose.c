/* The exchange is the same in all programs, and is to stay as it is in all versions to come: rank 0's sheet
 * to all, the lowest rank whose own is another, and the sheet of that one. A sheet is texts alone, in places
 * and of a size that are fixed; so every rank can put into words what differs, whatever program it is of. */
#include "comm/purpose.h"

#include "base/hash.h"
#include "comm/wait.h"

#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

struct sheet {
    char program[32], version[32], host[64];
    char hash[32];            /* of all options */
    char options[4096 - 160]; /* as many of them as there is room for */
};

enum { SHEET = sizeof(struct sheet), LINE = 300 };

static void fill(struct sheet *sheet, const struct comm *comm, const struct comm_purpose *purpose)
{
    const char *options = purpose->options ? purpose->options : "";
    memset(sheet, 0, sizeof *sheet);
    snprintf(sheet->program, sizeof sheet->program, "%s", purpose->program);
    snprintf(sheet->version, sizeof sheet->version, "%s", RNN_VERSION);
    snprintf(sheet->host, sizeof sheet->host, "%s", comm->host);
    snprintf(sheet->hash, sizeof sheet->hash, "%016" PRIx64, hash_bytes(options, strlen(options)));
    snprintf(sheet->options, sizeof sheet->options, "%s", options);
}

static int are_same(const struct sheet *sheet, const struct sheet *other)
{
    return strcmp(sheet->program, other->program) == 0 && strcmp(sheet->version, other->version) == 0 &&
        strcmp(sheet->hash, other->hash) == 0;
}

static void copy_line(const char *text, char line[LINE])
{
    snprintf(line, LINE, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Finds the first line in which the options differ. */
static void find_difference(const char *own, const char *first, char mine[LINE], char theirs[LINE])
{
    while (*own && *first) {
        copy_line(own, mine);
        copy_line(first, theirs);
        if (strcmp(mine, theirs) != 0)
            return;
        own += strcspn(own, "\n");
        first += strcspn(first, "\n");
        own += *own != 0;
        first += *first != 0;
    }
    snprintf(mine, LINE, "another value of a later one"); /* than there was room for */
    snprintf(theirs, LINE, "its own");
}

static int refuse(const struct sheet *own, const struct sheet *first, int rank, struct error *error)
{
    char mine[LINE], theirs[LINE];
    if (strcmp(own->program, first->program) != 0)
        return error_set(error, EXIT_CODE_USAGE,
            "rank %d on %s is %s, rank 0 is %s: start one program on all ranks", rank, own->host,
            own->program, first->program);
    if (strcmp(own->version, first->version) != 0)
        return error_set(error, EXIT_CODE_USAGE,
            "rank %d on %s is version %s of %s, rank 0 is version %s: install the same on all hosts", rank,
            own->host, own->version, own->program, first->version);
    find_difference(own->options, first->options, mine, theirs);
    return error_set(error, EXIT_CODE_USAGE,
        "the options differ: rank %d on %s has %s, rank 0 has %s: give all ranks the same", rank, own->host,
        mine, theirs);
}

int purpose_agree(const struct comm *comm, const struct comm_purpose *purpose, struct error *error)
{
    struct sheet own, first, other;
    MPI_Request request;
    fill(&own, comm, purpose);
    first = own;
    MPI_Ibcast(&first, SHEET, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
    int lowest = are_same(&own, &first) ? comm->ranks : comm->rank;
    MPI_Iallreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
    if (lowest == comm->ranks)
        return 0;
    other = own;
    MPI_Ibcast(&other, SHEET, MPI_BYTE, lowest, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
    return refuse(&other, &first, lowest, error);
}
