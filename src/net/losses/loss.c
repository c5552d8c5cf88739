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

static struct loss_row row_of(const struct net_config *config, const struct loss_rows *rows, size_t r)
{
    const struct targets *targets = &rows->targets;
    return (struct loss_row){.config = config,
        .O = rows->O,
        .y = row_at(rows->outputs, r),
        .class = targets->classes ? targets->classes[r] : -1,
        .value = targets->values ? targets->values + r * targets->values_stride : NULL};
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
    }
}

void loss_backward(const struct net_config *config, const struct loss_rows *rows)
{
    for (size_t r = 0; r < rows->R; r++) {
        struct loss_row row = row_of(config, rows, r);
        loss_of(config)->backward(&row);
        for (size_t o = rows->O; o < rows->outputs.stride; o++)
            row.y[o] = 0;
    }
}
