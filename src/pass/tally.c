#include "pass/tally.h"

#include "base/exact.h"
#include "base/memory.h"

#include <string.h>

/* Places in the words: four sums, then how many sequences have errors. */
enum {
    LOSS,
    ERRORS = EXACT_WORDS,
    COUNTED = 2 * EXACT_WORDS,
    LABELS = 3 * EXACT_WORDS,
    WRONG = 4 * EXACT_WORDS,
    OWN_WORDS
};

int tally_init(struct tally *tally, size_t extra, struct error *error)
{
    *tally = (struct tally){.extra = extra};
    tally->words = memory_create(OWN_WORDS + extra, sizeof *tally->words, error);
    if (!tally->words)
        return -1;
    tally_clear(tally);
    return 0;
}

void tally_finish(struct tally *tally)
{
    memory_destroy(tally->words);
    *tally = (struct tally){0};
}

void tally_clear(struct tally *tally)
{
    memset(tally->words, 0, (OWN_WORDS + tally->extra) * sizeof *tally->words);
}

static void carry(struct tally *tally)
{
    for (int sum = LOSS; sum < WRONG; sum += EXACT_WORDS)
        exact_carry(tally->words + sum);
}

void tally_add(struct tally *tally, size_t B, const struct net_score *scores)
{
    for (size_t b = 0; b < B; b++) {
        exact_add(tally->words + LOSS, scores[b].loss);
        exact_add(tally->words + ERRORS, scores[b].errors);
        exact_add(tally->words + COUNTED, scores[b].counted);
        exact_add(tally->words + LABELS, scores[b].labels);
        tally->words[WRONG] += scores[b].errors > 0;
        if (b % 65536 == 65535)
            carry(tally);
    }
    carry(tally);
}

uint64_t *tally_extra(struct tally *tally)
{
    return tally->words + OWN_WORDS;
}

uint64_t *tally_words(struct tally *tally, size_t *n)
{
    *n = OWN_WORDS + tally->extra;
    return tally->words;
}

struct net_score tally_total(struct tally *tally)
{
    return (struct net_score){.loss = exact_round(tally->words + LOSS),
        .errors = exact_round(tally->words + ERRORS),
        .counted = exact_round(tally->words + COUNTED),
        .labels = exact_round(tally->words + LABELS)};
}

double tally_count_wrong(const struct tally *tally)
{
    return exact_count_nan(tally->words + ERRORS) ? NAN : (double)tally->words[WRONG];
}
