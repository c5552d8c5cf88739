#include "comm/speed.h"

#include "base/clock.h"
#include "comm/comm.h"
#include "comm/wait.h"

double speed_of_exchange(const struct comm *comm, const struct speed_exchange *exchange)
{
    comm_barrier(comm);
    double start = clock_now();
    for (int i = 0; i < exchange->times && exchange->partner != comm->rank; i++) {
        MPI_Request to, from;
        MPI_Irecv(exchange->into, exchange->bytes, MPI_BYTE, exchange->partner, 0, MPI_COMM_WORLD, &from);
        MPI_Isend(exchange->buffer, exchange->bytes, MPI_BYTE, exchange->partner, 0, MPI_COMM_WORLD, &to);
        comm_wait(comm, &from);
        comm_wait(comm, &to);
    }
    double seconds = (clock_now() - start) / exchange->times;
    comm_max(comm, &seconds, 1);
    return seconds;
}
