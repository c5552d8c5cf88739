#include "comm/pieces.h"

#include "comm/wait.h"

/* A piece has so many blocks, or more where a message would have too many pieces. Open MPI sends up to 64 KiB
 * at once, what it writes in front of them included. */
enum { PIECE_BLOCKS = 8, MOST_PIECES = 64 };

/* How many blocks a piece of a message has; the last one may have fewer. */
static int find_piece(int count)
{
    int piece = (count + MOST_PIECES - 1) / MOST_PIECES;
    return piece > PIECE_BLOCKS ? piece : PIECE_BLOCKS;
}

size_t pieces_count(int blocks)
{
    return blocks < PIECE_BLOCKS * MOST_PIECES ? (size_t)(blocks + PIECE_BLOCKS - 1) / PIECE_BLOCKS
                                               : MOST_PIECES;
}

void pieces_send(struct pieces *pieces, const float *from, int count, int to)
{
    for (int first = 0, piece = find_piece(count); first < count; first += piece)
        MPI_Isend(from + (size_t)first * pieces->size, count - first < piece ? count - first : piece,
            pieces->block, to, 0, MPI_COMM_WORLD, &pieces->requests[pieces->pending++]);
}

void pieces_receive(struct pieces *pieces, float *to, int count, int from)
{
    for (int first = 0, piece = find_piece(count); first < count; first += piece)
        MPI_Irecv(to + (size_t)first * pieces->size, count - first < piece ? count - first : piece,
            pieces->block, from, 0, MPI_COMM_WORLD, &pieces->requests[pieces->pending++]);
}

void pieces_look(struct pieces *pieces)
{
    for (int done = 1; done && pieces->pending > 0; pieces->pending -= done)
        MPI_Test(&pieces->requests[pieces->pending - 1], &done, MPI_STATUS_IGNORE);
}

void pieces_wait(struct pieces *pieces, const struct comm *comm)
{
    while (pieces->pending > 0)
        comm_wait(comm, &pieces->requests[--pieces->pending]);
}
