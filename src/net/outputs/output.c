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
    return c->outputs + (output_makes_labels(c) ? 1 : 0);
}

void output_take_rows(struct net *net, const struct pass *pass, struct arena *arena, size_t R, size_t scored)
{
    top_take_workspace(&net->top, pass, arena, R);
    net->row_scores = arena_take(arena, scored, sizeof *net->row_scores);
}

static struct loss_rows head_rows(const struct net *net, size_t R, const struct microbatch *targets)
{
    return (struct loss_rows){.R = R,
        .O = net_count_head(net->config),
        .outputs = as_rows(net->top.outputs, net->top.stride),
        .targets = targets_of_microbatch(targets)};
}

struct net_outputs output_rows_forward(
    struct net *net, const struct pass *pass, size_t R, const struct microbatch *targets, int scored)
{
    struct loss_rows rows = head_rows(net, R, targets);
    loss_forward(net->config, pass->kernel, &rows, scored ? net->row_scores : NULL);
    return (struct net_outputs){.rows = R, .stride = rows.outputs.stride, .values = rows.outputs.data};
}

void output_rows_backward(struct net *net, size_t R, const struct microbatch *targets)
{
    struct loss_rows rows = head_rows(net, R, targets);
    loss_backward(net->config, &rows);
}
