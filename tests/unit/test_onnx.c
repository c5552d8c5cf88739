/* Every network but one with a decoder becomes a model of ONNX. That onnxruntime computes the same of it is
 * tests/cli/exchange.py's to say, which needs it. */
#include "config/config.h"
#include "model/export.h"
#include "net/cells/cell.h"
#include "net/check.h"
#include "net/outputs/output.h"
#include "support/sample.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct export_kind export_onnx;
static char folder[256];

static size_t count_names(const char *const *names)
{
    size_t n = 0;
    while (names[n])
        n++;
    return n;
}

/* A network of two layers, one of them in both directions, with all that goes with its cell. */
static void describe(struct net_config *network, size_t cell, size_t output, size_t loss)
{
    struct config config;
    config_init(&config);
    *network = config.model;
    config_finish(&config);
    network->cell = (enum cell)cell;
    network->output = (enum output)output;
    network->loss = (enum loss)loss;
    network->layers = 2;
    network->hidden[0] = network->hidden[1] = 3;
    network->bidirectional[1] = 0;
    network->initial_state = network->normalize = 1;
    network->peepholes = cell_kinds[cell]->unit_weights_are_peepholes;
    network->inputs = network->outputs = 2;
    network->decoder_hidden = network->decoder_embedding = network->attention_size = 2;
    network->target_length = 3;
}

/* Exports a network, if it is one; returns the outcome. */
static int export(const struct net_config *network, struct error *error)
{
    char path[300];
    struct stored stored = {.path = "network.h5"};
    struct stat status;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    ck_assert_int_eq(stored_begin(&stored, network, error), 0);
    int outcome = export_onnx.write(&stored, path, error);
    if (outcome == 0) {
        ck_assert(stat(path, &status) == 0 && status.st_size > 0);
        unlink(path);
    }
    stored_finish(&stored);
    return outcome;
}

static int was_built_without(const struct error *error)
{
    return strstr(error->text, "was built without") != NULL;
}

START_TEST(every_cell_and_loss_has_a_form)
{
    for (size_t o = 0; o < count_names(output_names); o++)
        for (size_t l = 0; l < count_names(loss_names); l++)
            for (size_t transition = 0; transition < 3; transition++) {
                struct net_config network;
                struct error error = {0};
                describe(&network, (size_t)_i, o, l);
                network.transition_layers = transition;
                if (output_kinds[o]->has_decoder || net_config_check(&network, NULL, NULL))
                    continue;
                int outcome = export(&network, &error);
                ck_assert_msg(outcome == 0 || was_built_without(&error), "%s, %s, %s, %zu: %s",
                    cell_names[_i], output_names[o], loss_names[l], transition, error.text);
            }
}
END_TEST

START_TEST(a_decoder_has_none)
{
    for (size_t o = 0; o < count_names(output_names); o++) {
        struct net_config network;
        struct error error = {0};
        describe(&network, 0, o, 0);
        if (!output_kinds[o]->has_decoder)
            continue;
        ck_assert_int_eq(export(&network, &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_USAGE);
        ck_assert_msg(was_built_without(&error) ||
                strstr(error.text, "network.h5: output = decoder has no form in ONNX") != NULL,
            "%s", error.text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnx");
    TCase *tests = tcase_create("onnx");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_cell_and_loss_has_a_form, 0, (int)count_names(cell_names));
    tcase_add_test(tests, a_decoder_has_none);
    suite_add_tcase(suite, tests);
    sample_make_folder(folder, sizeof folder);
    int outcome = suite_run(suite);
    sample_remove_folder(folder);
    return outcome;
}
