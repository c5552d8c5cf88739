/* The steps in the opposite order. The gradient by the inputs follows span by span, those by the weights at
 * the end (recurrent_gradients.c). */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

/* What the next step back will read comes near while this one computes: a step has as much to read as to
 * compute with, in places where processors foresee little. */
static void fetch_step(const struct recurrent *r, struct step step, const float *dY, size_t Y_stride)
{
    kernel_fetch(as_rows(r->a + step.first * r->a_stride, r->a_stride), step.rows, r->width);
    if (r->c)
        kernel_fetch(as_rows(r->c + step.first * r->Hp, r->Hp), step.rows, r->Hp);
    if (r->t)
        kernel_fetch(as_rows(r->t + step.first * r->Hp, r->Hp), step.rows, r->Hp);
    kernel_fetch(as_rows(dY + step.first * Y_stride, Y_stride), step.rows, r->Hp);
}

/* dX (+)= W_ih^T da for the frames of the span that starts with step i. */
static void span_backward(
    const struct recurrent *r, const struct pass *pass, size_t i, float *dX, size_t X_stride, int add)
{
    size_t n, end;
    find_span(r, pass->microbatch, i, &n, &end);
    dX += n * X_stride;
    pass->kernel->product(&r->input.backward, end - n, as_rows(r->a + n * r->a_stride, r->a_stride),
        as_rows(add ? dX : NULL, X_stride), as_rows(dX, X_stride));
}

/* dm = W_hh^T da, added to dh' or on its way there. */
static void product_backward(
    const struct recurrent *r, const struct pass *pass, struct run run, float *dh_before, size_t Y_stride)
{
    const float *da = (r->kind->separates_terms ? r->u : r->a) + run.first * r->a_stride;
    const struct transition *t = &r->transition;
    if (t->on) {
        pass->kernel->product(&r->hidden.backward, run.rows, as_rows(da, r->a_stride), (struct rows){0},
            as_rows(t->dm, t->stride));
        transition_backward(t, pass, run.first, run.rows, run.row, dh_before, Y_stride);
    } else {
        pass->kernel->product(&r->hidden.backward, run.rows, as_rows(da, r->a_stride),
            as_rows(dh_before, Y_stride), as_rows(dh_before, Y_stride));
    }
}

static void run_backward(const struct recurrent *r, const struct pass *pass, struct run run, const float *Y,
    size_t Y_stride, float *dY)
{
    float *dh_before = dY + run.before * Y_stride;
    struct cell_gradient gradient = {.step = step_of(r, run, as_rows(Y, Y_stride)),
        .dh = as_rows(dY + run.first * Y_stride, Y_stride),
        .dh_previous = as_rows(dh_before, Y_stride)};
    if (r->kind->has_memory)
        gradient.dc = as_rows(r->dc + run.row * r->Hp, r->Hp);
    double start = times_start(pass->times);
    r->kind->backward(pass->kernel, &gradient);
    times_add(pass->times, NET_ACTIVATION, start);
    if (r->kind->has_product && run.product)
        product_backward(r, pass, run, dh_before, Y_stride);
}

void recurrent_backward(struct recurrent *r, const struct pass *pass, const float *X, size_t X_stride,
    const float *Y, size_t Y_stride, float *dY, float *dX, int add)
{
    const struct microbatch *microbatch = pass->microbatch;
    for (size_t b = 0; b < microbatch->B; b++)
        memset(dY + (microbatch->N + b) * Y_stride, 0, r->Hp * sizeof *dY);
    if (r->kind->has_memory)
        memset(r->dc, 0, microbatch->B * r->Hp * sizeof *r->dc);
    size_t span = count_span(r, microbatch);
    for (size_t i = microbatch->T; i-- > 0;) {
        if (i > 0)
            fetch_step(r, step_at(r, microbatch, step_time(r, microbatch, i - 1)), dY, Y_stride);
        struct run run[2];
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        for (size_t k = 0; k < 2; k++)
            if (run[k].rows > 0)
                run_backward(r, pass, run[k], Y, Y_stride, dY);
        if (dX && i % span == 0)
            span_backward(r, pass, i, dX, X_stride, add);
    }
    recurrent_add_gradients(r, pass, X, X_stride, Y, Y_stride, dY);
}
