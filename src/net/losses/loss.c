/* Rows are independent of each other: each goes through its kind's functions alone. */
#include "net/losses/loss.h"

#define LOSS(enumerator, name) extern const struct loss_kind loss_##name;
#include "net/losses/list.h"
#undef LOSS

const struct loss_kind *const loss_kinds[] = {
#define LOSS(enumerator, name) [LOSS_##enumerator] = &loss_##name,
#include "net/losses/list.h"
#undef LOSS
};

const char *const loss_names[] = {
#define LOSS(enumerator, name) [LOSS_##enumerator] = #name,
#include "net/losses/list.h"
#undef LOSS
    NULL};

static float weight_of(const struct targets *targets, size_t r)
{
    return targets->weights ? targets->weights[r] : 1;
}

/* A row that weighs nothing has no target. */
static struct loss_row row_of(const struct net_config *config, const struct loss_rows *rows, size_t r)
{
    const struct targets *targets = &rows->targets;
    int counts = weight_of(targets, r) > 0;
    return (struct loss_row){.config = config,
        .O = rows->O,
        .y = row_at(rows->outputs, r),
        .class = targets->classes && counts ? targets->classes[r] : -1,
        .value = targets->values && counts ? targets->values + r * targets->values_stride : NULL};
}

static void weigh_score(float weight, struct net_score *score)
{
    double w = (double)weight;
    score->loss *= w;
    score->errors *= w;
    score->counted *= w;
    score->labels *= w;
}

static void clear_row(size_t n, float *y)
{
    for (size_t o = 0; o < n; o++)
        y[o] = 0;
}

void loss_forward(const struct net_config *config, const struct kernel *kernel, const struct loss_rows *rows,
    struct net_score *score)
{
    for (size_t r = 0; r < rows->R; r++) {
        struct loss_row row = row_of(config, rows, r);
        row.kernel = kernel;
        if (!score) {
            row.class = -1;
            row.value = NULL;
        }
        struct net_score of_row = loss_of(config)->forward(&row);
        if (score)
            score[r] = of_row;
        if (score && rows->targets.weights)
            weigh_score(rows->targets.weights[r], &score[r]);
    }
}

void loss_backward(const struct net_config *config, const struct loss_rows *rows)
{
    for (size_t r = 0; r < rows->R; r++) {
        struct loss_row row = row_of(config, rows, r);
        if (row.class < 0 && !row.value)
            clear_row(rows->O, row.y);
        else
            loss_of(config)->backward(&row);
        for (size_t o = 0; o < rows->O && rows->targets.weights; o++)
            row.y[o] *= weight_of(&rows->targets, r);
        clear_row(rows->outputs.stride - rows->O, row.y + rows->O);
    }
}

void loss_guess(
    const struct net_config *config, size_t V, const double *mean, const double *variance, float *y)
{
    size_t heads = loss_count_heads(config);
    if (loss_of(config)->guess) {
        loss_of(config)->guess(V, mean, variance, y);
        return;
    }
    for (size_t o = 0; o < V * heads; o++)
        y[o] = (float)mean[o / heads];
}
