/* Networks of CURRENNT that come in: what rnn-predict makes of them is held to the equations of CURRENNT
 * itself (LstmLayer.cu, FeedForwardLayer.cu, SoftmaxLayer.cu), computed here in double precision from the
 * flat lists of the file; and files that are no good. */
#include "base/random.h"
#include "cli/model_job.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_JANSSON
enum { READS_JSON = 1 };
#else
enum { READS_JSON = 0 };
#endif

enum { MOST_LAYERS = 8, MOST_WIDTH = 16, MOST_FRAMES = 16, MOST_NUMBERS = 1000, LISTS = 3 };

static const char *const list_names[] = {"input", "bias", "internal"};

struct layer {
    const char *type;
    int size;
    double bias;
};

/* The lists of the layers of the network at hand, as its file has them. */
static double lists[MOST_LAYERS][LISTS][MOST_NUMBERS];

struct network {
    struct layer layer[MOST_LAYERS]; /* the last has the type NULL */
    int32_t classes;                 /* or */
    size_t values;
    const char *info; /* what rnn-model info says of it */
};

static const struct network networks[] = {
    {{{"input", 3, 0}, {"lstm", 4, 1}, {"softmax", 3, 1}, {"multiclass_classification", 3, 0}}, 3, 0,
        "loss = softmax; cell = lstm; layers = 1; bidirectional = no; hidden = 4"},
    {{{"input", 3, 0}, {"blstm", 6, 1}, {"softmax", 4, 1}, {"multiclass_classification", 4, 0}}, 4, 0,
        "loss = softmax; cell = lstm; layers = 1; bidirectional = yes; hidden = 3; peepholes = yes"},
    {{{"input", 3, 0}, {"feedforward_tanh", 5, 0.5}, {"blstm", 6, -0.25}, {"lstm", 2, 2},
         {"feedforward_tanh", 4, 1}, {"feedforward_identity", 2, 0.5}, {"sse", 2, 0}},
        0, 2,
        "layers = 2; bidirectional = yes,no; hidden = 3,2; input_layers = 5; output_layers = 4; peepholes = "
        "yes"},
    {{{"input", 3, 0}, {"blstm", 2, 1}, {"blstm", 8, 1}, {"feedforward_logistic", 1, 0.5},
         {"binary_classification", 1, 0}},
        2, 0, "loss = softmax; cell = lstm; layers = 2; bidirectional = yes; hidden = 1,4"},
    {{{"input", 3, 0}, {"feedforward_tanh", 5, 1}, {"feedforward_identity", 1, 1}, {"sse", 1, 0}}, 0, 1,
        "loss = mse; cell = lstm; layers = 0"},
};

enum { NETWORKS = sizeof networks / sizeof *networks };

static int is_lstm(const struct layer *layer)
{
    return strcmp(layer->type, "lstm") == 0 || strcmp(layer->type, "blstm") == 0;
}

/* How long the lists of layer i are. */
static void count_numbers(const struct network *network, int i, int length[LISTS])
{
    const struct layer *layer = &network->layer[i];
    int L = layer->size, P = layer[-1].size, E = strcmp(layer->type, "blstm") == 0 ? L / 2 : L;
    int gates = is_lstm(layer) ? 4 : 1;
    length[0] = gates * L * P;
    length[1] = gates * L;
    length[2] = is_lstm(layer) ? gates * L * E + 3 * L : 0;
}

static int count_layers(const struct network *network)
{
    int n = 0;
    while (network->layer[n].type)
        n++;
    return n;
}

/* Draws weights between -1 and 1, and writes the file, with the members of an autosave that are not read. */
static void write_network(const struct network *network, const char *name, uint64_t seed)
{
    int n = count_layers(network), length[LISTS];
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    fprintf(file, "{\n  \"autosave_epoch\": 7,\n  \"layers\": [");
    for (int i = 0; i < n; i++)
        fprintf(file, "%s\n    {\"size\": %d, \"name\": \"l%d\", \"bias\": %.17g, \"type\": \"%s\"}",
            i ? "," : "", network->layer[i].size, i, network->layer[i].bias, network->layer[i].type);
    fprintf(file, "],\n  \"weights\": {");
    for (int i = 1; i < n - 1; i++) {
        count_numbers(network, i, length);
        fprintf(file, "%s\n    \"l%d\": {", i > 1 ? "," : "", i);
        for (int list = 0; list < LISTS; list++) {
            fprintf(file, "%s\"%s\": [", list ? ", " : "", list_names[list]);
            for (int k = 0; k < length[list]; k++) {
                double value =
                    2 * random_uniform(seed, RANDOM_TEST, (uint64_t)(10 * i + list), (uint64_t)k) - 1;
                lists[i][list][k] = (float)value;
                fprintf(file, "%s%.9g", k ? "," : "", (float)value);
            }
            fprintf(file, "]");
        }
        fprintf(file, "}");
    }
    fprintf(file, "\n  }\n}\n");
    ck_assert_int_eq(fclose(file), 0);
    job_write(name, text, size);
    free(text);
}

/* ---- CURRENNT's equations ---- */

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step of unit `block` of an LSTM of L units, E each way, P before it: the offsets are those of
 * LstmLayer.cu, where `block` counts the units of the forward direction first. */
struct lstm_block {
    const struct layer *layer;
    double (*list)[MOST_NUMBERS];
    int L, E, P;
};

static double sum_gate(const struct lstm_block *b, int gate, int block, const double *x, const double *before)
{
    const double *input = b->list[0] + gate * b->L * b->P + block * b->P;
    const double *internal = b->list[2] + gate * b->L * b->E + block * b->E;
    double sum = b->layer->bias * b->list[1][gate * b->L + block];
    for (int p = 0; p < b->P; p++)
        sum += input[p] * x[p];
    for (int e = 0; e < b->E; e++)
        sum += internal[e] * before[e];
    return sum;
}

/* Runs one direction of an LSTM over T frames; its outputs go behind `first` of each row. */
static void run_direction(const struct lstm_block *b, int reverse, int T, double in[MOST_FRAMES][MOST_WIDTH],
    double out[MOST_FRAMES][MOST_WIDTH])
{
    double before[MOST_WIDTH] = {0}, cell[MOST_WIDTH] = {0};
    const double *peep = b->list[2] + 4 * b->L * b->E;
    int first = reverse ? b->E : 0;
    for (int step = 0; step < T; step++) {
        int t = reverse ? T - 1 - step : step;
        double now[MOST_WIDTH];
        for (int e = 0; e < b->E; e++) {
            int u = first + e;
            double cell_in = tanh(sum_gate(b, 0, u, in[t], before));
            double input = logistic(sum_gate(b, 1, u, in[t], before) + peep[u] * cell[e]);
            double forget = logistic(sum_gate(b, 2, u, in[t], before) + peep[b->L + u] * cell[e]);
            cell[e] = cell_in * input + cell[e] * forget;
            double output = logistic(sum_gate(b, 3, u, in[t], before) + peep[2 * b->L + u] * cell[e]);
            now[e] = tanh(cell[e]) * output;
        }
        memcpy(before, now, sizeof before);
        memcpy(&out[t][first], now, (size_t)b->E * sizeof *now);
    }
}

/* The sums of a dense layer, and what its type makes of them. */
static void run_dense(const struct lstm_block *b, int T, double in[MOST_FRAMES][MOST_WIDTH],
    double out[MOST_FRAMES][MOST_WIDTH])
{
    for (int t = 0; t < T; t++) {
        double sum = 0;
        for (int u = 0; u < b->L; u++) {
            double x = b->layer->bias * b->list[1][u];
            for (int p = 0; p < b->P; p++)
                x += b->list[0][u * b->P + p] * in[t][p];
            out[t][u] = strcmp(b->layer->type, "feedforward_tanh") == 0 ? tanh(x)
                : strcmp(b->layer->type, "feedforward_logistic") == 0   ? logistic(x)
                : strcmp(b->layer->type, "softmax") == 0                ? exp(x)
                                                                        : x;
            sum += out[t][u];
        }
        for (int u = 0; u < b->L && strcmp(b->layer->type, "softmax") == 0; u++)
            out[t][u] /= sum;
    }
}

/* Makes of rows the outputs of the last layer but one. */
static void run_network(const struct network *network, int T, double rows[MOST_FRAMES][MOST_WIDTH])
{
    int n = count_layers(network);
    for (int i = 1; i < n - 1; i++) {
        static double out[MOST_FRAMES][MOST_WIDTH];
        const struct layer *layer = &network->layer[i];
        int two = strcmp(layer->type, "blstm") == 0;
        struct lstm_block b = {
            layer, lists[i], layer->size, two ? layer->size / 2 : layer->size, layer[-1].size};
        if (is_lstm(layer))
            for (int d = 0; d <= two; d++)
                run_direction(&b, d, T, rows, out);
        else
            run_dense(&b, T, rows, out);
        memcpy(rows, out, sizeof out);
    }
}

/* ---- what comes in ---- */

static const char base[] = "[data]\ntrain = data.h5\n[train]\nepochs = 1\nbatch = 4\nmicrobatch = 2\n"
                           "[model]\noutput = frame\ncell = lstm\npeepholes = yes\nlayers = 1\n"
                           "hidden = 3\n";

static void import_to(struct command_result *result, const char *name, const char *to, const char *like)
{
    char file[1024], out[1024], other[1024];
    call(result, "RNN_MODEL", "import", lasting(name, file), "-o", lasting(to, out), like ? "--like" : NULL,
        like ? lasting(like, other) : NULL, NULL);
}

static void write_sample(const struct network *network, struct sample *sample)
{
    const struct sample_shape shape = {.sequences = 9,
        .shortest = 1,
        .longest = MOST_FRAMES,
        .features = 3,
        .kind = SAMPLE_PER_FRAME,
        .classes = network->classes,
        .values = network->values};
    sample_init(sample, &shape, 5);
    sample_write(sample, job_path("data.h5"));
}

/* Compares the outputs of a sequence with CURRENNT's. Of two classes it gives the second one's probability.
 */
static void check_sequence(
    const struct network *network, const struct sample *sample, int64_t s, const float *outputs, int O)
{
    static double rows[MOST_FRAMES][MOST_WIDTH];
    int64_t first = sample->input_offsets[s];
    int T = (int)(sample->input_offsets[s + 1] - first), C = network->layer[count_layers(network) - 1].size;
    for (int t = 0; t < T; t++)
        for (int p = 0; p < 3; p++)
            rows[t][p] = (double)sample->inputs[(first + t) * 3 + p];
    run_network(network, T, rows);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < C; c++) {
            const float *row = outputs + (first + t) * O;
            ck_assert_double_eq_tol((double)row[O - C + c], rows[t][c], 2e-6);
            if (O > C)
                ck_assert_double_eq_tol((double)row[0], 1 - rows[t][c], 2e-6);
        }
}

static void check_outputs(const struct network *network, const struct sample *sample, const char *name)
{
    struct error error;
    int O = (int)(network->classes ? (size_t)network->classes : network->values);
    float *outputs = calloc((size_t)sample->frames * (size_t)O, sizeof *outputs);
    struct h5_file *file = h5_open(job_path(name), 0, &error);
    ck_assert_msg(
        file && h5_read_floats(file, "outputs", 0, sample->frames, outputs, &error) == 0, "%s", error.text);
    h5_close(file);
    for (int64_t s = 0; s < sample->shape.sequences; s++)
        check_sequence(network, sample, s, outputs, O);
    free(outputs);
}

START_TEST(a_network_gives_what_its_equations_give)
{
    const struct network *network = &networks[_i];
    struct command_result result;
    struct sample sample;
    char model[1024], data[1024], out[1024];
    if (!READS_JSON)
        return;
    write_sample(network, &sample);
    write_network(network, "net.jsn", (uint64_t)_i + 1);
    import_to(&result, "net.jsn", "net.h5", NULL);
    expect(&result, "net.h5: weights=");
    call(&result, "RNN_MODEL", "info", lasting("net.h5", model), NULL);
    expect(&result, network->info);
    call(&result, "RNN_PREDICT", model, lasting("data.h5", data), "-o", lasting("out.h5", out), NULL);
    expect(&result, "sequences=9 ");
    check_outputs(network, &sample, "out.h5");
    call(&result, "RNN_TRAIN", "--verify", model, NULL);
    expect(&result, ": sound: ");
    import_to(&result, "net.jsn", "again.h5", "net.h5");
    expect(&result, "again.h5: weights=");
    sample_finish(&sample);
}
END_TEST

START_TEST(training_begins_with_its_weights)
{
    struct command_result result;
    struct sample sample;
    char hash[17], model[1024];
    if (!READS_JSON)
        return;
    write_sample(&networks[1], &sample);
    sample_finish(&sample);
    write_network(&networks[1], "net.jsn", 2);
    import_to(&result, "net.jsn", "net.h5", NULL);
    expect(&result, "weights_hash=");
    job_write_text("base.ini", base);
    job_finish(hash, 0, "base.ini", "tuned", "--init", lasting("net.h5", model), NULL);
    /* A checkpoint of ours takes a network of CURRENNT, too, and keeps its names. */
    import_to(&result, "net.jsn", "like.h5", "tuned");
    expect(&result, "weights_hash=");
    write_network(&networks[0], "other.jsn", 1);
    import_to(&result, "other.jsn", "none.h5", "tuned");
    expect_failure(&result, 65, "has another model.bidirectional (no, not yes) than the network of");
    ck_assert(!job_exists("none.h5"));
}
END_TEST

/* ---- files that are no good ---- */

#define IN "{\"name\":\"in\",\"type\":\"input\",\"size\":1}"
#define L(name, type, size) "{\"name\":\"" name "\",\"type\":\"" type "\",\"size\":" size ",\"bias\":1}"
#define LAYERS IN "," L("h", "lstm", "1") "," L("o", "feedforward_identity", "1") "," L("e", "sse", "1")
#define WEIGHTS_H "\"h\":{\"input\":[1,2,3,4],\"bias\":[1,2,3,4],\"internal\":[1,2,3,4,5,6,7]}"
#define WEIGHTS_O "\"o\":{\"input\":[1],\"bias\":[1],\"internal\":[]}"
#define NETWORK(layers, weights) "{\"layers\":[" layers "],\"weights\":{" weights "}}"

static const struct {
    const char *text, *says;
} hostile[] = {
    {"{", "is no JSON document"},
    {"{\"layers\":[" LAYERS "],\"weights\":{" WEIGHTS_H, "is no JSON document"},
    {NETWORK(LAYERS, WEIGHTS_H "," WEIGHTS_O) "x", "is no JSON document"},
    {"{}", "has no list \"layers\""},
    {"{\"layers\":{}}", "has no list \"layers\""},
    {"{\"layers\":[" IN "," L("e", "sse", "1") "]}", "has no list \"layers\" of 3 to 64 layers"},
    {"{\"layers\":[1,2,3]}", "its layer 1 has no name or no type"},
    {"{\"layers\":[" LAYERS "]}", "has no \"weights\": it is a network that was not trained yet"},
    {"{\"layers\":[" LAYERS "],\"weights\":[]}", "has no \"weights\""},
    {NETWORK(LAYERS, WEIGHTS_H), "layer o has 0 numbers in weights/o/input where its sizes take 1"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[1,2],\"bias\":[1]}"),
        "layer o has 2 numbers in weights/o/input where its sizes take 1"},
    {NETWORK(LAYERS, WEIGHTS_O ",\"h\":{\"input\":[1,2,3,4],\"bias\":[1,2,3,4],\"internal\":[1,2,3,4]}"),
        "layer h has 4 numbers in weights/h/internal where its sizes take 7"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[1],\"bias\":[1],\"internal\":[1]}"),
        "layer o has 1 numbers in weights/o/internal where its sizes take 0"},
    {NETWORK(LAYERS, WEIGHTS_H "," WEIGHTS_O ",\"x\":{}"), "has weights of x, which is no layer"},
    {NETWORK(LAYERS, WEIGHTS_H "," WEIGHTS_O "," WEIGHTS_O), "duplicate object key"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[NaN],\"bias\":[1]}"), "line 1: invalid token near 'NaN'"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[1e999],\"bias\":[1]}"), "real number overflow"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[1e300],\"bias\":[1]}"),
        "number 0 of head.weight is not finite as a 32-bit float"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[null],\"bias\":[1]}"),
        "item 0 of the list \"input\" that head.weight is made of is no number"},
    {NETWORK(LAYERS, WEIGHTS_H ",\"o\":{\"input\":[\"1\"],\"bias\":[1]}"), "is no number"},
    {NETWORK(IN "," L("h", "lstm", "1") "," L("h", "feedforward_identity", "1") "," L("e", "sse", "1"), ""),
        "layer h stands there twice"},
    {NETWORK(IN "," L("h", "lstm", "0") "," L("o", "softmax", "1") "," L("e", "sse", "1"), ""),
        "layer h has no size from 1 to 65536"},
    {NETWORK(IN "," L("h", "lstm", "65536") "," L("o", "softmax", "65536") "," L(
                 "e", "multiclass_classification", "65536"),
         ""),
        "layer h has 0 numbers in weights/h/input where its sizes take 262144"},
    {NETWORK(
         IN "," L("h", "lstm", "9223372036854775807") "," L("o", "softmax", "1") "," L("e", "sse", "1"), ""),
        "layer h has no size from 1 to 65536"},
    {NETWORK(IN "," L("h", "lstm", "1.5") "," L("o", "softmax", "1") "," L("e", "sse", "1"), ""),
        "layer h has no size"},
    {NETWORK(IN "," L("h", "blstm", "3") "," L("o", "feedforward_identity", "1") "," L("e", "sse", "1"), ""),
        "layer h has an odd size"},
    {NETWORK(IN
         ",{\"name\":\"h\",\"type\":\"lstm\",\"size\":1}," L("o", "softmax", "1") "," L("e", "sse", "1"),
         ""),
        "layer h has no number as its bias"},
    {NETWORK(IN "," L("h", "feedforward_relu", "1") "," L("o", "softmax", "1") "," L("e", "sse", "1"), ""),
        "layer h is of type feedforward_relu, which has no form here"},
    {NETWORK(IN "," L("h", "feedforward_logistic", "1") "," L("o", "feedforward_identity", "1") "," L(
                 "e", "sse", "1"),
         ""),
        "layer h of type feedforward_logistic stands where it has no form"},
    {NETWORK(IN "," L("h", "lstm", "1") "," L("d", "feedforward_tanh", "1") "," L("h2", "lstm", "1") "," L(
                 "o", "feedforward_identity", "1") "," L("e", "sse", "1"),
         ""),
        "layer h2 of type lstm stands where it has no form here"},
    {NETWORK(L("h", "lstm", "1") "," L("o", "feedforward_identity", "1") "," L("e", "sse", "1"), ""),
        "layer h of type lstm stands where it has no form here"},
    {NETWORK(IN "," L("h", "lstm", "1") "," L("o", "feedforward_identity", "1") "," L("e", "rmse", "1"), ""),
        "layer e is of type rmse, which has no form here"},
    {NETWORK(IN "," L("h", "lstm", "1") "," L("o", "feedforward_identity", "1"), ""),
        "layer h of type lstm stands where it has no form here"},
    {NETWORK(IN "," L("h", "lstm", "1") "," L("o", "softmax", "1") "," L("e", "sse", "1"), ""),
        "layer e of type sse has no form here behind a layer of type softmax: feedforward_identity would "
        "have"},
    {NETWORK(IN "," L("h", "lstm", "1") "," L("o", "feedforward_logistic", "2") "," L(
                 "e", "binary_classification", "2"),
         ""),
        "layer e is not of the size"},
    {NETWORK(IN
         "," L("h", "lstm", "1") "," L("o", "softmax", "2") "," L("e", "multiclass_classification", "3"),
         ""),
        "layer e is not of the size"},
    {NETWORK(IN "," L("\\u001b[7m", "none", "1") "," L("o", "softmax", "2") "," L("e", "sse", "2"), ""),
        "layer ?[7m is of type none"},
};

START_TEST(a_network_that_is_no_good_is_refused_with_a_line)
{
    struct command_result result;
    if (!READS_JSON)
        return;
    job_write_text("bad.jsn", hostile[_i].text);
    import_to(&result, "bad.jsn", "none.h5", NULL);
    expect_failure(&result, 65, hostile[_i].says);
    ck_assert(!job_exists("none.h5"));
}
END_TEST

START_TEST(a_document_of_any_depth_is_refused)
{
    enum { DEPTH = 100000 };
    static char text[2 * DEPTH];
    struct command_result result;
    if (!READS_JSON)
        return;
    size_t used = (size_t)snprintf(text, sizeof text, "{\"layers\":");
    memset(text + used, '[', DEPTH);
    job_write("deep.jsn", text, used + DEPTH);
    import_to(&result, "deep.jsn", "none.h5", NULL);
    expect_failure(&result, 65, "line 1: maximum parsing depth reached");
}
END_TEST

START_TEST(other_weights_need_a_checkpoint)
{
    static const char nothing[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct command_result result;
    job_write("empty.npz", nothing, sizeof nothing);
    import_to(&result, "empty.npz", "none.h5", NULL);
    expect_failure(
        &result, 2, "is a .npz file, which does not say what network its weights are of: name a checkpoint");
    job_write_text("no.jsn", "{\"layers\":[]}");
    import_to(&result, "no.jsn", "none.h5", NULL);
    if (!READS_JSON)
        expect_failure(&result, 2, "was built without jansson");
    else
        expect_failure(&result, 65, "has no list \"layers\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("currennt");
    TCase *tests = tcase_create("currennt");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_network_gives_what_its_equations_give, 0, NETWORKS);
    tcase_add_test(tests, training_begins_with_its_weights);
    tcase_add_loop_test(
        tests, a_network_that_is_no_good_is_refused_with_a_line, 0, sizeof hostile / sizeof *hostile);
    tcase_add_test(tests, a_document_of_any_depth_is_refused);
    tcase_add_test(tests, other_weights_need_a_checkpoint);
    suite_add_tcase(suite, tests);
    job_open();
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}
