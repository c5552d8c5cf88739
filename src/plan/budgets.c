/* Each workspace that there is for the microbatch of the longest sequences is found by asking for a byte less
 * than the one before. Where there are many, some are told. Time is counted in products, of which those that
 * are made again come on top. */
#include "plan/budgets.h"

#include "base/memory.h"
#include "pass/activations.h"

#include <stdio.h>

enum { MOST_TOLD = 6 };

/* Workspaces of one microbatch, from that which keeps all to one that others are hardly smaller than. */
static size_t find_savings(struct longest *longest, struct net_saving savings[static 2 * NET_MOST_LAYERS])
{
    size_t n = 0, memory = 0;
    while (n < 2 * NET_MOST_LAYERS) {
        struct net_saving saving = longest_find_saving(longest, memory);
        if (n > 0 && saving.bytes > memory - memory / 100)
            break;
        savings[n++] = saving;
        memory = saving.bytes - 1;
    }
    return n;
}

static void print_saving(const struct planned *planned, const struct net_saving *saving)
{
    const struct net_config *model = net_get_config(planned->net);
    const struct dataset *set = planned->train;
    double frames = (double)set->frames;
    double all = net_count_operations(model, frames, (double)set->sequences, (double)set->targets);
    char value[40];
    activations_write(saving->bytes, value, sizeof value);
    printf("  %-12s %6.2f times the time", value, 1 + net_count_repeated(model, saving, frames) / all);
    if (saving->layers == 0)
        printf("   all is kept\n");
    else
        printf("   %zu of %zu layers made again, %zu steps at a time\n", saving->layers, model->layers,
            saving->steps);
}

int budgets_print(const struct planned *planned, struct error *error)
{
    struct net_saving savings[2 * NET_MOST_LAYERS];
    struct longest *longest = longest_create(planned->config, planned->net, planned->train, 1, error);
    if (!longest)
        return -1;
    size_t n = find_savings(longest, savings), told = n < MOST_TOLD ? n : MOST_TOLD;
    longest_destroy(longest);
    if (n < 2)
        return 0;
    printf("train.activation_memory, for microbatches of the longest sequences\n");
    for (size_t i = 0; i < told; i++)
        print_saving(planned, &savings[i * (n - 1) / (told - 1)]);
    return 0;
}
