/* The functions of an exported header. */
#include "model/export_c.h"

#include "net/cells/cell.h"
#include "net/losses/loss.h"

#include <string.h>

static const char rows_text[] =
    "\n/* y [O] = W [O][I] x + b, summed in double; b may be a null pointer. */\n"
    "static inline void rnn_affine(const float *W, const float *b, const float *x, size_t I, size_t O, float "
    "*y)\n"
    "{\n"
    "    for (size_t o = 0; o < O; o++) {\n"
    "        double sum = b ? (double)b[o] : 0;\n"
    "        for (size_t i = 0; i < I; i++)\n"
    "            sum += (double)W[o * I + i] * (double)x[i];\n"
    "        y[o] = (float)sum;\n"
    "    }\n"
    "}\n"
    "\n"
    "static inline float rnn_logistic(float x)\n"
    "{\n"
    "    return 1 / (1 + expf(-x));\n"
    "}\n"
    "\n"
    "/* T rows of a layer: y = tanh(W x + b). */\n"
    "static inline void rnn_dense(\n"
    "    const float *W, const float *b, const float *X, size_t T, size_t I, size_t O, float *Y)\n"
    "{\n"
    "    for (size_t t = 0; t < T; t++) {\n"
    "        rnn_affine(W, b, X + t * I, I, O, Y + t * O);\n"
    "        for (size_t o = 0; o < O; o++)\n"
    "            Y[t * O + o] = tanhf(Y[t * O + o]);\n"
    "    }\n"
    "}\n"
    "\n"
    "/* T rows of I numbers, each normalized: z = (y - mean) / deviation * weight + bias. */\n"
    "static inline void rnn_normalize(\n"
    "    const float *weight, const float *bias, const float *Y, size_t T, size_t I, float *Z)\n"
    "{\n"
    "    for (size_t t = 0; t < T; t++) {\n"
    "        const float *y = Y + t * I;\n"
    "        float mean = 0, variance = 0;\n"
    "        for (size_t i = 0; i < I; i++)\n"
    "            mean += y[i] / (float)I;\n"
    "        for (size_t i = 0; i < I; i++)\n"
    "            variance += (y[i] - mean) * (y[i] - mean) / (float)I;\n"
    "        for (size_t i = 0; i < I; i++)\n"
    "            Z[t * I + i] = (y[i] - mean) / sqrtf(variance + 1e-5f) * weight[i] + bias[i];\n"
    "    }\n"
    "}\n";

static const char step_text[] = "\n/* One step: x [I] comes in, m [H] is what the recurrent product sees of "
                                "the step before; h and c [H] go\n"
                                " * from step to step, y [H] goes out, s is scratch. */\n"
                                "static inline void rnn_step(const float *const *w, const float *x, size_t "
                                "I, size_t H, const float *m, float *h,\n"
                                "    float *c, float *y, float *s)\n"
                                "{\n"
                                "    (void)m, (void)c;\n";

static const char direction_text[] =
    "\n/* A direction of a layer over T frames: X [T][I] comes in, rows of Y, `stride` apart, go out. h0 and "
    "c0 may\n"
    " * be null pointers. `layer` has the weights and biases of the layers between states. */\n"
    "struct rnn_direction {\n"
    "    const float *w[12], *h0, *c0;\n"
    "    const float *const *layer;\n"
    "    size_t layers;\n"
    "    int reverse;\n"
    "};\n"
    "\n"
    "static inline void rnn_run_direction(const struct rnn_direction *d, const float *X, size_t T, size_t I, "
    "size_t H,\n"
    "    float *Y, size_t stride, float *s)\n"
    "{\n"
    "    float *h = s, *c = s + H, *m = s + 2 * H, *n = s + 3 * H;\n"
    "    for (size_t j = 0; j < H; j++) {\n"
    "        h[j] = d->h0 ? d->h0[j] : 0;\n"
    "        c[j] = d->c0 ? d->c0[j] : 0;\n"
    "    }\n"
    "    for (size_t step = 0; step < T; step++) {\n"
    "        size_t t = d->reverse ? T - 1 - step : step;\n"
    "        memcpy(m, h, H * sizeof *m);\n"
    "        for (size_t k = 0; k < d->layers; k++) {\n"
    "            rnn_dense(d->layer[2 * k], d->layer[2 * k + 1], m, 1, H, H, n);\n"
    "            memcpy(m, n, H * sizeof *m);\n"
    "        }\n"
    "        rnn_step(d->w, X + t * I, I, H, m, h, c, Y + t * stride, s + 4 * H);\n"
    "    }\n"
    "}\n";

static const char present_text[] = "\n/* What is shown of the sums of a row of outputs. */\n"
                                   "static inline void rnn_present(float *y, size_t n, float *shown)\n"
                                   "{\n";

/* Writes lines as those of a function's body. */
static void write_body(FILE *stream, const char *text)
{
    while (*text) {
        int n = (int)strcspn(text, "\n");
        fprintf(stream, "    %.*s\n", n, text);
        text += n + (text[n] == '\n');
    }
    fputs("}\n", stream);
}

void c_write_functions(FILE *stream, const struct net_config *config)
{
    const char *present = loss_of(config)->plain_c;
    fputs(rows_text, stream);
    if (config->layers) {
        fputs(step_text, stream);
        write_body(stream, cell_of(config)->plain_c);
        fputs(direction_text, stream);
    }
    fputs(present_text, stream);
    write_body(stream, present ? present : "memcpy(shown, y, n * sizeof *shown);\n");
}
