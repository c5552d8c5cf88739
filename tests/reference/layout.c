/* Names, shapes and order of the weights: those of torch.nn.Module.state_dict, with the options' in between
 * (docs/network.md). */
#include "cell.h"
#include "names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct layout {
    struct parameter *list; /* NULL: only counted */
    size_t tensors, weights;
};

/* A matrix, or with no columns a vector. */
static void layout_add(struct layout *layout, size_t rows, size_t columns, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void layout_add(struct layout *layout, size_t rows, size_t columns, const char *format, ...)
{
    size_t count = columns ? rows * columns : rows;
    if (layout->list) {
        struct parameter *p = &layout->list[layout->tensors];
        *p = (struct parameter){.dimensions = columns ? 2 : 1, .size = {rows, columns}};
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(p->name, sizeof p->name, format, arguments);
        va_end(arguments);
        p->offset = layout->weights;
        p->count = count;
    }
    layout->tensors++;
    layout->weights += count;
}

/* What an lru has in place of weights and biases. */
static void layout_add_lru(struct layout *layout, size_t l, size_t inputs, size_t H, const char *way)
{
    layout_add(layout, H, inputs, "rnn.B_re_l%zu%s", l, way);
    layout_add(layout, H, inputs, "rnn.B_im_l%zu%s", l, way);
    layout_add(layout, H, 0, "rnn.nu_l%zu%s", l, way);
    layout_add(layout, H, 0, "rnn.theta_l%zu%s", l, way);
    layout_add(layout, H, 0, "rnn.gamma_log_l%zu%s", l, way);
    layout_add(layout, H, H, "rnn.C_re_l%zu%s", l, way);
    layout_add(layout, H, H, "rnn.C_im_l%zu%s", l, way);
    layout_add(layout, H, inputs, "rnn.D_l%zu%s", l, way);
    layout_add(layout, H, H, "rnn.gate_l%zu.weight%s", l, way);
    layout_add(layout, H, 0, "rnn.gate_l%zu.bias%s", l, way);
}

static void layout_add_direction(
    struct layout *layout, const struct net_config *config, size_t l, size_t inputs, const char *way)
{
    size_t H = config->hidden[l], rows = reference_gates(config->cell) * H;
    int lru = config->cell == CELL_LRU;
    if (lru)
        layout_add_lru(layout, l, inputs, H, way);
    else
        layout_add(layout, rows, inputs, "rnn.weight_ih_l%zu%s", l, way);
    if (reference_cell_sees_all(config->cell))
        layout_add(layout, rows, H, "rnn.weight_hh_l%zu%s", l, way);
    if (!lru)
        layout_add(layout, rows, 0, "rnn.bias_ih_l%zu%s", l, way);
    if (reference_cell_sees_all(config->cell))
        layout_add(layout, rows, 0, "rnn.bias_hh_l%zu%s", l, way);
    if (config->cell == CELL_INDRNN)
        layout_add(layout, 1, H, "rnn.u_l%zu%s", l, way);
    if (config->peepholes)
        layout_add(layout, 3, H, "rnn.peephole_l%zu%s", l, way);
    for (size_t k = 0; k < config->transition_layers; k++) {
        layout_add(layout, H, H, "rnn.transition_l%zu.%zu.weight%s", l, k, way);
        layout_add(layout, H, 0, "rnn.transition_l%zu.%zu.bias%s", l, k, way);
    }
    if (config->initial_state)
        layout_add(layout, H, 0, "rnn.h0_l%zu%s", l, way);
    if (config->initial_state && reference_has_memory(config->cell))
        layout_add(layout, H, 0, "rnn.c0_l%zu%s", l, way);
}

static size_t layout_add_chain(
    struct layout *layout, const char *name, size_t n, const size_t *sizes, size_t inputs)
{
    for (size_t k = 0; k < n; k++) {
        layout_add(layout, sizes[k], inputs, "%s.%zu.weight", name, k);
        layout_add(layout, sizes[k], 0, "%s.%zu.bias", name, k);
        inputs = sizes[k];
    }
    return inputs;
}

static struct layout layout_make(const struct net_config *config, struct parameter *list)
{
    struct layout layout = {.list = list};
    size_t width = config->inputs;
    if (config->transition_layers > REFERENCE_MOST_TRANSITIONS)
        abort();
    if (config->symbols && config->embedding) {
        layout_add(&layout, config->inputs, config->embedding, "embedding.weight");
        width = config->embedding;
    }
    width = layout_add_chain(&layout, "input", config->input_layers, config->input_size, width);
    for (size_t l = 0; l < config->layers; l++) {
        if (config->normalize && l > 0) {
            layout_add(&layout, width, 0, "norm.%zu.weight", l);
            layout_add(&layout, width, 0, "norm.%zu.bias", l);
        }
        layout_add_direction(&layout, config, l, width, "");
        if (config->bidirectional[l])
            layout_add_direction(&layout, config, l, width, "_reverse");
        width = (config->bidirectional[l] ? 2 : 1) * config->hidden[l];
    }
    width = layout_add_chain(&layout, "output", config->output_layers, config->output_size, width);
    layout_add(&layout, reference_outputs(config), width, "head.weight");
    layout_add(&layout, reference_outputs(config), 0, "head.bias");
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

void reference_names_init(struct reference_names *names, const struct net_config *config)
{
    names->n = layout_make(config, NULL).tensors;
    names->list = calloc(names->n, sizeof *names->list);
    if (!names->list)
        abort();
    layout_make(config, names->list);
}

void reference_names_finish(struct reference_names *names)
{
    free(names->list);
}

size_t reference_names_count(const struct reference_names *names)
{
    const struct parameter *last = &names->list[names->n - 1];
    return last->offset + last->count;
}

double *reference_tensor(const struct reference_names *names, double *flat, const char *format, ...)
{
    char name[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    for (size_t k = 0; k < names->n; k++)
        if (strcmp(names->list[k].name, name) == 0)
            return flat + names->list[k].offset;
    fprintf(stderr, "reference: no tensor %s\n", name);
    abort();
}
