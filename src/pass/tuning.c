/* Patterns are those of the shell (fnmatch of POSIX), in which * stands for dots too. Where several of
 * train.rate_of match a name the last of them counts, and one that counts for no name is a mistake: whoever
 * wrote it expects something of it. */
#include "pass/tuning.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

struct tuning {
    size_t n; /* tensors */
    const struct parameter *parameter;
    double *factor; /* [n] */
    const char *
        *rated_by; /* [n] where in train.rate_of the item begins that the factor is from; NULL: none */
};

/* The edits that make a name match a pattern, in which * stands for anything and ? for any one character; a
 * bracket is taken for what it is. */
static size_t count_edits(const char *pattern, const char *name)
{
    size_t n = strlen(name), edits[sizeof((struct parameter *)NULL)->name];
    for (size_t j = 0; j <= n; j++)
        edits[j] = j;
    for (; *pattern; pattern++) {
        size_t before = edits[0]; /* of the pattern so far, with one character of the name less */
        edits[0] += *pattern != '*';
        for (size_t j = 1; j <= n; j++) {
            size_t here = edits[j], without = here < edits[j - 1] ? here : edits[j - 1];
            size_t with = before + (*pattern != name[j - 1] && *pattern != '?');
            edits[j] = *pattern == '*' ? without : with < without + 1 ? with : without + 1;
            before = here;
        }
    }
    return edits[n];
}

static const char *find_nearest(const struct tuning *tuning, const char *pattern)
{
    size_t best = 0;
    for (size_t i = 1; i < tuning->n; i++)
        if (count_edits(pattern, tuning->parameter[i].name) <
            count_edits(pattern, tuning->parameter[best].name))
            best = i;
    return tuning->parameter[best].name;
}

/* Gives what a pattern matches this factor. `by` is where it stands in train.rate_of; NULL: in train.freeze.
 */
static int take_pattern(
    struct tuning *tuning, const char *pattern, double factor, const char *by, struct error *error)
{
    char shown[TEXT_SHOWN];
    size_t matches = 0;
    for (size_t i = 0; i < tuning->n; i++) {
        if (fnmatch(pattern, tuning->parameter[i].name, 0) != 0)
            continue;
        matches++;
        tuning->factor[i] = factor;
        tuning->rated_by[i] = by;
    }
    if (matches > 0)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "train.%s: no parameter has a name like '%s'; the nearest is %s: correct it (rnn-train --plan -v and "
        "rnn-model info list all names)",
        by ? "rate_of" : "freeze", text_show(pattern, shown), find_nearest(tuning, pattern));
}

static int take_rates(struct tuning *tuning, const char *list, struct error *error)
{
    char pattern[CONFIG_PATTERNS], number[64];
    for (const char *at = list; text_next_item(&list, pattern, sizeof pattern); at = list) {
        double factor = 1;
        text_next_item(&list, number, sizeof number);
        number_read_real(number, &factor);
        if (take_pattern(tuning, pattern, factor, at, error))
            return -1;
    }
    return 0;
}

static int take_frozen(struct tuning *tuning, const char *list, struct error *error)
{
    char pattern[CONFIG_PATTERNS];
    size_t frozen = 0;
    while (text_next_item(&list, pattern, sizeof pattern))
        if (take_pattern(tuning, pattern, 0, NULL, error))
            return -1;
    for (size_t i = 0; i < tuning->n; i++)
        frozen += tuning->factor[i] == 0;
    if (frozen < tuning->n)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "train.freeze: all %zu tensors are frozen, so that there is nothing to train: leave some of them "
        "out, "
        "as %s",
        tuning->n, tuning->parameter[tuning->n - 1].name);
}

/* Every pattern with a rate has it for some tensor, once all are taken. */
static int check_rates(const struct tuning *tuning, const char *list, struct error *error)
{
    char pattern[CONFIG_PATTERNS], number[64], shown[TEXT_SHOWN];
    for (const char *at = list; text_next_item(&list, pattern, sizeof pattern); at = list) {
        size_t i = 0;
        text_next_item(&list, number, sizeof number);
        while (i < tuning->n && tuning->rated_by[i] != at)
            i++;
        if (i == tuning->n)
            return error_set(error, EXIT_CODE_DATA,
                "train.rate_of: all that '%s' matches is frozen, or has its rate by a later pattern: leave "
                "it "
                "out, or put it behind that",
                text_show(pattern, shown));
    }
    return 0;
}

static int fill(
    struct tuning *tuning, const struct config *config, unsigned char *frozen, struct error *error)
{
    for (size_t i = 0; i < tuning->n; i++)
        tuning->factor[i] = 1;
    if (take_rates(tuning, config->train.rate_of, error) ||
        take_frozen(tuning, config->train.freeze, error) || check_rates(tuning, config->train.rate_of, error))
        return -1;
    for (size_t i = 0; i < tuning->n; i++)
        frozen[i] = tuning->factor[i] == 0;
    return 0;
}

double *tuning_create(const struct config *config, struct net *net, struct error *error)
{
    struct tuning tuning = {0};
    tuning.parameter = net_get_parameters(net, &tuning.n);
    tuning.factor = memory_create(tuning.n, sizeof *tuning.factor, error);
    tuning.rated_by = memory_create(tuning.n, sizeof *tuning.rated_by, error);
    unsigned char *frozen = memory_create(tuning.n, sizeof *frozen, error);
    int failed = !tuning.factor || !tuning.rated_by || !frozen || fill(&tuning, config, frozen, error);
    if (!failed)
        net_freeze(net, frozen);
    else
        memory_destroy(tuning.factor);
    memory_destroy(frozen);
    memory_destroy(tuning.rated_by);
    return failed ? NULL : tuning.factor;
}
