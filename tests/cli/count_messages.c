/* Preloaded into a program: counts what it hands to MPI. At the end each rank writes COUNT_MESSAGES.RANK, a
 * line "KIND BYTES CALLS" for each kind of call and number of bytes. What is sent is of the kind `inside`
 * where the receiver is one of the same RNN_RANKS_PER_NODE ranks, and `outside` else. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };

static struct {
    const char *kind;
    long long bytes, calls;
} counted[MOST];

static void count(const char *kind, int items, MPI_Datatype type)
{
    int size, i = 0;
    PMPI_Type_size(type, &size);
    long long bytes = (long long)items * size;
    while (
        i < MOST - 1 && counted[i].kind && (strcmp(counted[i].kind, kind) != 0 || counted[i].bytes != bytes))
        i++;
    counted[i].kind = kind;
    counted[i].bytes = bytes;
    counted[i].calls++;
}

static int node_of(int rank)
{
    const char *text = getenv("RNN_RANKS_PER_NODE");
    return text ? rank / atoi(text) : 0;
}

static int own_rank(void)
{
    int rank;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

/* The receiver's number among all ranks. */
static int find_rank(int rank, MPI_Comm comm)
{
    MPI_Group group, all;
    int found;
    PMPI_Comm_group(comm, &group);
    PMPI_Comm_group(MPI_COMM_WORLD, &all);
    PMPI_Group_translate_ranks(group, 1, &rank, all, &found);
    PMPI_Group_free(&group);
    PMPI_Group_free(&all);
    return found;
}

int MPI_Isend(
    const void *from, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request)
{
    count(node_of(find_rank(to, comm)) == node_of(own_rank()) ? "inside" : "outside", n, type);
    return PMPI_Isend(from, n, type, to, tag, comm, request);
}

int MPI_Iallreduce(
    const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm, MPI_Request *request)
{
    count("allreduce", n, type);
    return PMPI_Iallreduce(from, to, n, type, op, comm, request);
}

int MPI_Ibcast(void *bytes, int n, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request)
{
    count("broadcast", n, type);
    return PMPI_Ibcast(bytes, n, type, root, comm, request);
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request *request)
{
    count("barrier", 0, MPI_BYTE);
    return PMPI_Ibarrier(comm, request);
}

int MPI_Iallgather(const void *from, int n, MPI_Datatype type, void *to, int m, MPI_Datatype other,
    MPI_Comm comm, MPI_Request *request)
{
    count("allgather", n, type);
    return PMPI_Iallgather(from, n, type, to, m, other, comm, request);
}

int MPI_Igather(const void *from, int n, MPI_Datatype type, void *to, int m, MPI_Datatype other, int root,
    MPI_Comm comm, MPI_Request *request)
{
    count("gather", n, type);
    return PMPI_Igather(from, n, type, to, m, other, root, comm, request);
}

int MPI_Igatherv(const void *from, int n, MPI_Datatype type, void *to, const int *counts, const int *places,
    MPI_Datatype other, int root, MPI_Comm comm, MPI_Request *request)
{
    count("gatherv", n, type);
    return PMPI_Igatherv(from, n, type, to, counts, places, other, root, comm, request);
}

int MPI_Iscatterv(const void *from, const int *counts, const int *places, MPI_Datatype type, void *to, int n,
    MPI_Datatype other, int root, MPI_Comm comm, MPI_Request *request)
{
    count("scatterv", n, other);
    return PMPI_Iscatterv(from, counts, places, type, to, n, other, root, comm, request);
}

int MPI_Reduce_scatter_block(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    count("scatter", n, type);
    return PMPI_Reduce_scatter_block(from, to, n, type, op, comm);
}

int MPI_Finalize(void)
{
    char name[1000];
    const char *path = getenv("COUNT_MESSAGES");
    snprintf(name, sizeof name, "%s.%d", path ? path : "counts", own_rank());
    FILE *file = fopen(name, "w");
    for (int i = 0; file && i < MOST && counted[i].kind; i++)
        fprintf(file, "%s %lld %lld\n", counted[i].kind, counted[i].bytes, counted[i].calls);
    if (file)
        fclose(file);
    return PMPI_Finalize();
}
