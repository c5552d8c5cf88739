/* Names, shapes and order of the weights, as torch.nn.Module.state_dict gives them. */
#include "cell.h"
#include "reference.h"

#include <stdio.h>

struct layout {
    struct parameter *list; /* NULL: only counted */
    size_t tensors, weights;
};

static void layout_add(struct layout *layout, int dimensions, size_t rows, size_t columns, const char *name)
{
    size_t count = dimensions == 2 ? rows * columns : rows;
    if (layout->list) {
        struct parameter *p = &layout->list[layout->tensors];
        *p = (struct parameter){.dimensions = dimensions, .size = {rows, dimensions == 2 ? columns : 0}};
        snprintf(p->name, sizeof p->name, "%s", name);
        p->offset = layout->weights;
        p->count = count;
    }
    layout->tensors++;
    layout->weights += count;
}

static void layout_add_direction(
    struct layout *layout, const struct net_config *config, size_t layer, size_t inputs, int reverse)
{
    static const char *const kinds[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    size_t H = config->hidden[layer], rows = reference_gates(config->cell) * H;
    const size_t columns[] = {inputs, H, 0, 0};
    for (int k = 0; k < 4; k++) {
        char name[64];
        snprintf(name, sizeof name, "rnn.%s_l%zu%s", kinds[k], layer, reverse ? "_reverse" : "");
        layout_add(layout, k < 2 ? 2 : 1, rows, columns[k], name);
    }
}

static struct layout layout_make(const struct net_config *config, struct parameter *list)
{
    struct layout layout = {.list = list};
    size_t inputs = config->inputs;
    if (config->symbols && config->embedding) {
        layout_add(&layout, 2, config->inputs, config->embedding, "embedding.weight");
        inputs = config->embedding;
    }
    for (size_t l = 0; l < config->layers; l++) {
        int directions = config->bidirectional[l] ? 2 : 1;
        for (int d = 0; d < directions; d++)
            layout_add_direction(&layout, config, l, inputs, d);
        inputs = (size_t)directions * config->hidden[l];
    }
    layout_add(&layout, 2, config->outputs, inputs, "head.weight");
    layout_add(&layout, 1, config->outputs, 0, "head.bias");
    return layout;
}

size_t reference_list_parameters(
    const struct net_config *config, struct parameter list[REFERENCE_MOST_TENSORS])
{
    return layout_make(config, list).tensors;
}

size_t reference_count_weights(const struct net_config *config)
{
    return layout_make(config, NULL).weights;
}
