#include "net/outputs/output.h"

#include "net/layout.h"

#define OUTPUT(enumerator, name) extern const struct output_kind output_##name;
#include "net/outputs/list.h"
#undef OUTPUT

const struct output_kind *const output_kinds[] = {
#define OUTPUT(enumerator, name) [OUTPUT_##enumerator] = &output_##name,
#include "net/outputs/list.h"
#undef OUTPUT
};

const char *const output_names[] = {
#define OUTPUT(enumerator, name) [OUTPUT_##enumerator] = #name,
#include "net/outputs/list.h"
#undef OUTPUT
    NULL};

size_t net_count_head(const struct net_config *c)
{
    return c->outputs * loss_count_heads(c) + (output_makes_labels(c) ? 1 : 0);
}

void output_take_rows(struct net *net, const struct pass *pass, struct arena *arena, size_t R, size_t scored)
{
    top_take_workspace(&net->top, pass, arena, R);
    net->row_scores = arena_take(arena, scored, sizeof *net->row_scores);
}

static struct targets targets_from(struct targets targets, size_t r)
{
    if (targets.classes)
        targets.classes += r;
    if (targets.values)
        targets.values += r * targets.values_stride;
    if (targets.weights)
        targets.weights += r;
    return targets;
}

/* Those of R rows that are this member's, from *first on. */
static struct loss_rows own_rows(
    const struct net *net, const struct pass *pass, size_t R, const struct microbatch *targets, size_t *first)
{
    size_t end;
    pass_deal_rows(pass, R, first, &end);
    return (struct loss_rows){.R = end - *first,
        .O = net_count_head(net->config),
        .outputs = rows_from(as_rows(net->top.outputs, net->top.stride), *first),
        .targets = targets_from(targets_of_microbatch(targets), *first)};
}

struct net_outputs output_rows_forward(
    struct net *net, const struct pass *pass, size_t R, const struct microbatch *targets, int scored)
{
    size_t first;
    struct loss_rows rows = own_rows(net, pass, R, targets, &first);
    loss_forward(net->config, pass->kernel, &rows, scored ? net->row_scores + first : NULL);
    pass_meet(pass);
    return (struct net_outputs){.rows = R, .stride = net->top.stride, .values = net->top.outputs};
}

void output_rows_backward(
    struct net *net, const struct pass *pass, size_t R, const struct microbatch *targets)
{
    size_t first;
    struct loss_rows rows = own_rows(net, pass, R, targets, &first);
    loss_backward(net->config, &rows);
}
