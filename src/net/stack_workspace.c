/* What a pass keeps of the layers. Outputs are kept once, always: everything else can be made of them again.
 * Where memory is short the lowest layers do that, as few of them as will do, since what a layer makes again
 * takes about a third more of its time; the others keep all they have. */
#include "net/stack.h"

static int changes_input(const struct layer *layer, const struct pass *pass)
{
    return layer->norm.is_there || (pass_is_random(pass) && layer->drops);
}

static void take_layer(struct layer *layer, const struct pass *pass, struct arena *arena)
{
    size_t B = pass->microbatch->B, N = pass->microbatch->N;
    size_t stride = kernel_stride(extent_padded(layer->inputs));
    if (!layer->saves)
        layer->in = changes_input(layer, pass) ? arena_take(arena, N * stride, sizeof(float)) : NULL;
    if (layer->norm.is_there)
        norm_take_workspace(&layer->norm, arena, N, pass->options.training);
    layer->h = arena_take(arena, (N + B) * layer->stride, sizeof(float));
    layer->y = layer->residual ? arena_take(arena, N * layer->stride, sizeof(float)) : layer->h;
    for (size_t d = 0; d < layer->D && !layer->saves; d++)
        recurrent_take_workspace(&layer->direction[d], pass, arena);
}

/* Layers that nothing is trained in or below have no gradients.
 * Where all is kept each layer has a gradient by y of its own. Else that by the inputs of a layer takes the
 * place of that by its y, if rows of the two are alike, and else another: there are two. */
static void take_gradients(struct stack *stack, const struct pass *pass, struct arena *arena)
{
    size_t rows = pass->options.training ? pass->microbatch->N + pass->microbatch->B : 0;
    size_t most[2] = {0}, place[NET_MOST_LAYERS] = {0};
    float *shared[2] = {NULL};
    for (size_t l = stack->L; l-- > 0;) {
        size_t stride = stack->layer[l].stride;
        if (!stack_trains_below(stack, pass, l + 1))
            break;
        if (l + 1 < stack->L)
            place[l] = stack->layer[l + 1].stride == stride ? place[l + 1] : !place[l + 1];
        most[place[l]] = stride > most[place[l]] ? stride : most[place[l]];
    }
    for (size_t i = 0; i < 2 && stack->saves; i++)
        shared[i] = arena_take(arena, rows * most[i], sizeof(float));
    for (size_t l = 0; l < stack->L; l++) {
        struct layer *layer = &stack->layer[l];
        int wanted = stack_trains_below(stack, pass, l + 1);
        layer->dY = stack->saves && wanted
            ? shared[place[l]]
            : arena_take(arena, wanted ? rows * layer->stride : 0, sizeof(float));
    }
}

/* What is there once for all layers that save: of either direction a reserve, and what layers see where that
 * is not the y before. The second direction of a layer goes backward while the first one's reserve is read.
 */
static void take_turns(struct stack *stack, const struct pass *pass, size_t steps, struct arena *arena)
{
    struct recurrent *directions[2][NET_MOST_LAYERS];
    size_t n[2] = {0}, most = 0, L = 0;
    for (; L < stack->L && stack->layer[L].saves; L++) {
        struct layer *layer = &stack->layer[L];
        size_t stride = changes_input(layer, pass) ? kernel_stride(extent_padded(layer->inputs)) : 0;
        most = stride > most ? stride : most;
        for (size_t d = 0; d < layer->D; d++)
            directions[d][n[d]++] = &layer->direction[d];
    }
    for (size_t d = 0; d < 2; d++)
        if (n[d] > 0)
            recurrent_take_turns(directions[d], n[d], steps, pass, arena);
    float *in = arena_take(arena, pass->microbatch->N * most, sizeof(float));
    for (size_t l = 0; l < L; l++)
        stack->layer[l].in = changes_input(&stack->layer[l], pass) ? in : NULL;
}

/* Layers go backward one after the other, and so do directions where a pass is not a team's: all of them sum
 * their gradients in the same place. Of a team two members may be at a direction each. */
static void take_sums(struct stack *stack, const struct pass *pass, struct arena *arena)
{
    struct recurrent *directions[2][2 * NET_MOST_LAYERS];
    size_t n[2] = {0};
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < stack->layer[l].D; d++) {
            size_t place = pass_members(pass) > 1 ? d : 0;
            directions[place][n[place]++] = &stack->layer[l].direction[d];
        }
    for (size_t place = 0; place < 2; place++)
        recurrent_take_sums(directions[place], n[place], pass, arena);
}

void stack_take_workspace(
    struct stack *stack, const struct pass *pass, const struct net_saving *saving, struct arena *arena)
{
    size_t N = pass->microbatch->N;
    int training = pass->options.training;
    const struct net_config *c = stack->config;
    int noisy = pass_is_random(pass) && c->input_noise > 0 && !c->symbols;
    size_t widest = 0;
    stack->saves = saving->layers > 0;
    stack->X = stack->dX = NULL;
    if (c->embedding || noisy)
        stack->X = arena_take(arena, N * stack->X_stride, sizeof(float));
    if (c->embedding && pass_trains_before(pass, stack->input.tensors.from))
        stack->dX = arena_take(arena, training ? N * stack->X_stride : 0, sizeof(float));
    dense_layers_take_workspace(&stack->input, pass, arena, N);
    for (size_t l = 0; l < stack->L; l++) {
        stack->layer[l].saves = l < saving->layers;
        take_layer(&stack->layer[l], pass, arena);
        widest = stack->layer[l].stride > widest ? stack->layer[l].stride : widest;
    }
    take_turns(stack, pass, saving->steps, arena);
    take_gradients(stack, pass, arena);
    take_sums(stack, pass, arena);
    stack->carry = arena_take(arena, training && c->residual ? N * widest : 0, sizeof(float));
}

/* A segment of as many frames as the sums over frames take at a time costs nothing by being no longer;
 * shorter ones do. */
int stack_save_more(const struct stack *stack, const struct microbatch *microbatch, struct net_saving *saving)
{
    enum { FRAMES = 640, FEWEST = 64 };
    size_t B = microbatch->B, T = microbatch->T, usual = (FRAMES + B - 1) / B, shorter = saving->steps / 2;
    if (saving->layers < stack->L) {
        saving->layers++;
        saving->steps = usual < T ? usual : T;
        return 1;
    }
    if (shorter * B < FEWEST)
        return 0;
    saving->steps = shorter;
    return 1;
}
