/* The weights that training starts from. They are a function of configuration and seed, whoever computes it,
 * and of large layers a long one: each piece of them is made by the rank that has the least to do so far, and
 * then told to all nodes. */
#include "base/memory.h"
#include "run/learner.h"

/* Who makes which piece; all ranks find the same. */
struct sharing {
    const unsigned char *fresh; /* [tensors] which are made; NULL: all */
    size_t next;                /* piece */
    double *work;               /* [ranks] that each has so far */
    int ranks;
};

/* Returns the rank that makes the next piece, or -1 where there is none. */
static int share_next(struct sharing *sharing, const struct net *net, struct net_piece *piece)
{
    int least = 0;
    do {
        if (!net_get_piece(net, sharing->next, piece))
            return -1;
        sharing->next++;
    } while (sharing->fresh && !sharing->fresh[piece->tensor]);
    for (int r = 1; r < sharing->ranks; r++)
        if (sharing->work[r] < sharing->work[least])
            least = r;
    sharing->work[least] += piece->work;
    return least;
}

static int make_own(struct learner *learner, struct sharing *sharing, struct error *error)
{
    const struct net_life life = {.show = comm_show_life_of, .context = learner->comm};
    struct net_piece piece;
    for (int owner; (owner = share_next(sharing, learner->net, &piece)) >= 0;)
        if (owner == learner->comm->rank &&
            net_start_piece(
                learner->net, &piece, learner->config->train.seed, &life, learner->weights, error))
            return -1;
    return 0;
}

int learner_make_weights(struct learner *learner, const unsigned char *fresh, struct error *error)
{
    const struct comm *comm = learner->comm;
    struct sharing sharing = {.fresh = fresh, .ranks = comm->ranks};
    struct net_piece piece;
    sharing.work = memory_create((size_t)comm->ranks, sizeof *sharing.work, error);
    if (sharing.work)
        make_own(learner, &sharing, error);
    if (comm_agree(comm, error) || !sharing.work) {
        memory_destroy(sharing.work);
        return -1;
    }
    sharing.next = 0;
    for (int r = 0; r < comm->ranks; r++)
        sharing.work[r] = 0;
    for (int owner; (owner = share_next(&sharing, learner->net, &piece)) >= 0;)
        node_broadcast(&learner->node, learner->weights + piece.offset, piece.count * sizeof(float), owner);
    memory_destroy(sharing.work);
    return 0;
}
