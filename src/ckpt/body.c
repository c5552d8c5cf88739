/* The body of a checkpoint for another network: both have a table of parameters, of which the heads are left
 * out, and what is left has to be the same, one after the other. Only places in the flat vector differ. */
#include "base/memory.h"
#include "ckpt/fits.h"

#include <string.h>

/* Parameters of a network in order, without its head. */
struct body {
    size_t n; /* with the head */
    const struct parameter *parameter;
    const unsigned char *head; /* [n] */
};

static const struct parameter *take_next(const struct body *body, size_t *i)
{
    while (*i < body->n && body->head[*i])
        ++*i;
    return *i < body->n ? &body->parameter[(*i)++] : NULL;
}

/* Copies weights from one flat vector to the other, from which the heads stay out. */
static int copy_body(const struct body *from, const float *weights, const struct body *to, float *out,
    const char *path, struct error *error)
{
    static const char advice[] =
        "all but the head has to fit: give the data and the keys of [model] that the "
        "checkpoint has (rnn-model info tells them)";
    for (size_t i = 0, j = 0;;) {
        const struct parameter *has = take_next(from, &i), *wants = take_next(to, &j);
        if (!has && !wants)
            return 0;
        if (!parameter_is_same(has, wants))
            return parameter_refuse(has, wants, "no more parameters but the head", path, advice, error);
        memcpy(out + wants->offset, weights + has->offset, has->count * sizeof *out);
    }
}

/* Puts a table [n] and weights in place of what the checkpoint has, and leaves it nothing that goes by them.
 */
static void replace(struct checkpoint *checkpoint, struct parameter *table, size_t n, float *weights)
{
    memory_destroy(checkpoint->parameter);
    memory_destroy(checkpoint->weights);
    checkpoint->parameter = table;
    checkpoint->parameters = n;
    checkpoint->weights = weights;
    checkpoint->count = table[n - 1].offset + table[n - 1].count;
    checkpoint->weights_hash = 0;
    checkpoint->weights_alone = 1;
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++) {
        memory_destroy(checkpoint->moments[m]);
        checkpoint->moments[m] = NULL;
    }
}

static int take(struct checkpoint *checkpoint, const struct net *own, const char *path, const struct net *net,
    const unsigned char *head, struct error *error)
{
    unsigned char *own_head = net_find_head(own, error);
    struct body from = {.head = own_head}, to = {.head = head};
    from.parameter = net_get_parameters(own, &from.n);
    to.parameter = net_get_parameters(net, &to.n);
    float *weights = memory_create(net_count_parameters(net), sizeof *weights, error);
    struct parameter *table = memory_create(to.n, sizeof *table, error);
    int failed =
        !own_head || !weights || !table || copy_body(&from, checkpoint->weights, &to, weights, path, error);
    memory_destroy(own_head);
    if (failed) {
        memory_destroy(weights);
        memory_destroy(table);
        return -1;
    }
    memcpy(table, to.parameter, to.n * sizeof *table);
    replace(checkpoint, table, to.n, weights);
    return 0;
}

int checkpoint_take_body(struct checkpoint *checkpoint, const char *path, const struct net *net,
    const unsigned char *head, struct error *error)
{
    if (checkpoint_match_model(&checkpoint->model, net_get_config(net), path, error))
        return -1;
    struct net *own = net_describe(&checkpoint->model, error);
    int failed = !own || checkpoint_fits(checkpoint, path, own, error) ||
        take(checkpoint, own, path, net, head, error);
    net_destroy(own);
    return failed ? -1 : 0;
}
