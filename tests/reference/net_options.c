#include "net_options.h"

static void set_peepholes(struct net_config *config)
{
    config->peepholes = 1;
}

static void set_transition_layers(struct net_config *config)
{
    config->transition_layers = 2;
}

static void set_initial_state(struct net_config *config)
{
    config->initial_state = 1;
}

static void set_input_layers(struct net_config *config)
{
    config->input_layers = 2;
    config->input_size[0] = 18;
    config->input_size[1] = 5;
}

static void set_output_layers(struct net_config *config)
{
    config->output_layers = 2;
    config->output_size[0] = 6;
    config->output_size[1] = 19;
}

/* Layers equally wide: as the first is. */
static void set_residual(struct net_config *config)
{
    config->residual = 1;
    for (size_t l = 1; l < config->layers; l++) {
        config->hidden[l] = config->hidden[0];
        config->bidirectional[l] = config->bidirectional[0];
    }
}

static void set_normalize(struct net_config *config)
{
    config->normalize = 1;
}

static void set_class_weights(struct net_config *config)
{
    config->class_weights = config->outputs;
    for (size_t k = 0; k < config->outputs; k++)
        config->class_weight[k] = k % 3 == 0 ? 0.25 : 0.5 + (double)k;
}

static void set_label_smoothing(struct net_config *config)
{
    config->label_smoothing = 0.2;
}

static void set_huber(struct net_config *config)
{
    config->huber_delta = 0.4;
}

static void set_quantiles(struct net_config *config)
{
    config->quantiles = 3;
    for (size_t q = 0; q < 3; q++)
        config->quantile[q] = 0.2 + 0.3 * (double)q;
}

static void set_recurrent_dropout(struct net_config *config)
{
    config->recurrent_dropout = 0.3;
}

static void set_no_layers(struct net_config *config)
{
    config->layers = 0;
}

enum {
    LSTM = 1 << CELL_LSTM,
    SEEING = 1 << CELL_RNN | 1 << CELL_RNN_RELU | 1 << CELL_LSTM | 1 << CELL_GRU, /* all of h' */
    ALL = SEEING | 1 << CELL_INDRNN | 1 << CELL_MINGRU | 1 << CELL_LRU
};

const struct net_option net_options[] = {
    {"peepholes", set_peepholes, LSTM, -1, 0, 0},
    {"transition_layers", set_transition_layers, SEEING, -1, 0, 0},
    {"initial_state", set_initial_state, ALL, -1, 0, 0},
    {"input_layers", set_input_layers, ALL, -1, 0, 0},
    {"output_layers", set_output_layers, ALL, -1, 0, 0},
    {"residual", set_residual, ALL, -1, 0, 0},
    {"normalize", set_normalize, ALL, -1, 0, 0},
    {"recurrent_dropout", set_recurrent_dropout, SEEING, -1, 0, 0},
    {"class_weights", set_class_weights, ALL, LOSS_SOFTMAX, 0, 0},
    {"label_smoothing", set_label_smoothing, ALL, LOSS_SOFTMAX, 0, 0},
    {"missing targets", NULL, ALL, -1, 1, 0},
    {"target weights", NULL, ALL, -1, 0, 1},
    {"huber", set_huber, ALL, LOSS_HUBER, 0, 0},
    {"mae", NULL, ALL, LOSS_MAE, 0, 0},
    {"logcosh", NULL, ALL, LOSS_LOGCOSH, 0, 0},
    {"quantile", set_quantiles, ALL, LOSS_QUANTILE, 0, 0},
    {"gaussian", NULL, ALL, LOSS_GAUSSIAN, 0, 0},
    /* The last: net_options_choose_all leaves it out. */
    {"no layers", set_no_layers, ALL, -1, 0, 0},
};
const size_t net_options_count = sizeof net_options / sizeof *net_options;

int net_options_agree(enum cell cell, size_t n, const struct net_option *const chosen[])
{
    int loss = -1;
    for (size_t i = 0; i < n; i++) {
        if (!(chosen[i]->cells & 1U << cell))
            return 0;
        if (loss >= 0 && chosen[i]->loss >= 0 && chosen[i]->loss != loss)
            return 0;
        loss = chosen[i]->loss >= 0 ? chosen[i]->loss : loss;
    }
    return 1;
}

size_t net_options_choose_all(enum cell cell, int loss, const struct net_option *chosen[])
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < net_options_count; i++) {
        const struct net_option *option = &net_options[i];
        if ((option->cells & 1U << cell) && (option->loss < 0 || option->loss == loss))
            chosen[n++] = option;
    }
    return n;
}

void net_options_apply(struct net_config *config, size_t n, const struct net_option *const chosen[])
{
    for (size_t i = 0; i < n; i++) {
        if (chosen[i]->loss >= 0)
            config->loss = (enum loss)chosen[i]->loss;
        if (chosen[i]->set)
            chosen[i]->set(config);
    }
}

int net_options_take_rows(size_t n, const struct net_option *const chosen[])
{
    int take = 0;
    for (size_t i = 0; i < n; i++)
        take |= chosen[i]->loss >= 0 || chosen[i]->drops_targets || chosen[i]->weighs_targets;
    return take;
}

int net_options_weigh_targets(size_t n, const struct net_option *const chosen[])
{
    int weigh = 0;
    for (size_t i = 0; i < n; i++)
        weigh |= chosen[i]->weighs_targets;
    return weigh;
}

int net_options_drop_targets(size_t n, const struct net_option *const chosen[])
{
    int drop = 0;
    for (size_t i = 0; i < n; i++)
        drop |= chosen[i]->drops_targets;
    return drop;
}
