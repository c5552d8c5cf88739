/* Seconds travel as whole nanoseconds. Of the hashes it is counted, bit by bit, how many ranks have a one:
 * they are all equal where each count is none or all, whatever the hashes are, and the bits that most ranks
 * have are those of the hash that most have. Three counts of 21 bits fit a word. */
#include "run/ballot.h"

enum { FAILED, LEFT, SIGNAL, LATE, SAVE, CHANGED, DATA_WAIT, WAITED, BITS };
enum { HASH_BITS = 64, COUNTS = 3, COUNT_BITS = 21, HASH_WORDS = (HASH_BITS + COUNTS - 1) / COUNTS };

_Static_assert(BITS + HASH_WORDS == BALLOT_WORDS, "all words have a meaning");

static const double NANOSECONDS = 1e9;

static uint64_t pack_seconds(double seconds)
{
    return seconds > 0 ? (uint64_t)(seconds * NANOSECONDS) : 0;
}

static double unpack_seconds(uint64_t value)
{
    return (double)value / NANOSECONDS;
}

void ballot_pack(const struct ballot *ballot, uint64_t words[static BALLOT_WORDS])
{
    words[FAILED] = ballot->failed != 0;
    words[LEFT] = ballot->left != 0;
    words[SIGNAL] = ballot->signal != 0;
    words[LATE] = ballot->late != 0;
    words[SAVE] = ballot->save != 0;
    words[CHANGED] = ballot->changed != 0;
    words[DATA_WAIT] = pack_seconds(ballot->data_wait);
    words[WAITED] = pack_seconds(ballot->waited);
    for (int word = 0; word < HASH_WORDS; word++)
        words[BITS + word] = 0;
    for (int bit = 0; bit < HASH_BITS; bit++)
        words[BITS + bit / COUNTS] |= (ballot->hash >> bit & 1) << bit % COUNTS * COUNT_BITS;
}

static void unpack_hash(struct ballot *ballot, uint64_t ranks, const uint64_t *words)
{
    ballot->hash = 0;
    ballot->differ = 0;
    for (int bit = 0; bit < HASH_BITS; bit++) {
        uint64_t count = words[bit / COUNTS] >> bit % COUNTS * COUNT_BITS & ((1u << COUNT_BITS) - 1);
        ballot->differ |= count != 0 && count != ranks;
        ballot->hash |= (uint64_t)(2 * count > ranks) << bit;
    }
}

void ballot_unpack(struct ballot *ballot, int ranks, const uint64_t words[static BALLOT_WORDS])
{
    ballot->failed = words[FAILED] > 0;
    ballot->left = words[LEFT] > 0;
    ballot->signal = words[SIGNAL] > 0;
    ballot->late = words[LATE] > 0;
    ballot->save = words[SAVE] > 0;
    ballot->changed = words[CHANGED] > 0;
    ballot->data_wait = unpack_seconds(words[DATA_WAIT]) / ranks;
    ballot->waited = unpack_seconds(words[WAITED]);
    unpack_hash(ballot, (uint64_t)ranks, words + BITS);
}

void ballot_count(struct ballot *ballot, struct node *node)
{
    uint64_t words[BALLOT_WORDS];
    ballot_pack(ballot, words);
    node_sum(node, words, BALLOT_WORDS);
    ballot_unpack(ballot, node->comm->ranks, words);
}
