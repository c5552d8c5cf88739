/* Messages that go in pieces. MPI libraries send a long message only when the receiver has answered that it
 * wants it, and on a slow link the answer waits behind all that the receiver itself has to send; pieces that
 * are short enough go at once. There are few of them, since one that comes before its receive is posted is
 * kept by MPI.
 *
 * Within this folder only (it includes mpi.h). Messages between two ranks come in the order in which both
 * call, with the same counts. */
#ifndef COMM_PIECES_H
#define COMM_PIECES_H

#include "comm/rank.h"

#include <mpi.h>
#include <stddef.h>

/* Messages that are under way. The caller's, as all that its members point to. */
struct pieces {
    MPI_Datatype block;    /* what they consist of */
    size_t size;           /* floats of a block */
    MPI_Request *requests; /* room for pieces_count of each message */
    int pending;           /* so many of them */
};

/* Returns how many pieces a message of so many blocks, or of fewer, has at most. */
size_t pieces_count(int blocks);

/* Begin to send or to receive so many blocks; none are no message. What lies there is MPI's until pieces_wait
 * returns. */
void pieces_send(struct pieces *pieces, const float *from, int count, int to);
void pieces_receive(struct pieces *pieces, float *to, int count, int from);

/* Gives MPI a turn, which takes microseconds; waits for nobody. */
void pieces_look(struct pieces *pieces);

/* Waits until all have come and gone. */
void pieces_wait(struct pieces *pieces, const struct comm *comm);

#endif
