/* What a configuration and a dataset make together, and which of them do not go together. */
#include "config/config.h"
#include "pass/model.h"
#include "pass/scale.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[300];

static const char *path_of(const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The model of the defaults and these overrides (ended by NULL). */
static struct net_config make_model(const char *const *set)
{
    static const char text[] = "[data]\ntrain = x.h5\n";
    size_t sets = 0;
    struct config config;
    struct faults faults;
    FILE *file = fopen(path_of("m.ini"), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    while (set[sets])
        sets++;
    faults_init(&faults, 0, NULL, NULL);
    ck_assert_int_eq(config_read(&config, path_of("m.ini"), sets, set, &faults), 0);
    struct net_config model = config.model;
    config_finish(&config);
    return model;
}

enum { SEQUENCES = 12 };

static struct dataset *make_dataset(enum sample_targets kind, int32_t classes, int32_t symbols)
{
    struct sample_shape shape = {.sequences = SEQUENCES,
        .shortest = 6,
        .longest = 9,
        .features = symbols ? 0 : 3,
        .symbols = symbols,
        .kind = kind,
        .classes = classes,
        .values = classes ? 0 : 2};
    struct sample sample;
    struct error error = {0};
    sample_init(&sample, &shape, 1);
    sample_write(&sample, path_of("d.h5"));
    sample_finish(&sample);
    struct dataset *dataset = dataset_open(path_of("d.h5"), 0, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    return dataset;
}

/* Binding is refused with these words. */
static void expect_refused(struct dataset *dataset, const char *one, const char *two, const char *says)
{
    const char *const set[] = {one, one ? two : NULL, NULL};
    struct net_config model = make_model(set), before = model;
    struct error error = {0};
    ck_assert_int_eq(model_bind(&model, dataset, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_msg(strstr(error.text, says) && strncmp(error.text, folder, strlen(folder)) == 0,
        "'%s' lacks '%s'", error.text, says);
    ck_assert_mem_eq(&model, &before, sizeof model);
}

START_TEST(outputs_want_their_own_number_of_targets)
{
    struct dataset *frames = make_dataset(SAMPLE_PER_FRAME, 5, 0);
    expect_refused(frames, "model.output=sequence", NULL, "set model.output = frame");
    expect_refused(frames, "model.output=ctc", NULL, "add target_offsets, or set model.output = frame");
    expect_refused(frames, "model.output=decoder", NULL, "add target_offsets, or set model.output = frame");
    dataset_close(frames);
    struct dataset *sequences = make_dataset(SAMPLE_PER_SEQUENCE, 5, 0);
    expect_refused(sequences, "model.output=frame", NULL, "set model.output = sequence");
    dataset_close(sequences);
    struct dataset *any = make_dataset(SAMPLE_ANY, 5, 0);
    expect_refused(any, "model.output=frame", NULL, "set model.output = ctc or decoder");
    expect_refused(any, "model.output=sequence", NULL, "set model.output = ctc or decoder");
    dataset_close(any);
}
END_TEST

START_TEST(losses_want_classes_or_values)
{
    struct dataset *values = make_dataset(SAMPLE_PER_SEQUENCE, 0, 0);
    expect_refused(values, "model.loss=softmax", NULL,
        "set model.loss = mse, huber, mae, logcosh, quantile, gaussian or sigmoid");
    expect_refused(values, "model.output=ctc", NULL, "ctc needs classes");
    expect_refused(values, "model.output=decoder", NULL, "set model.loss = mse, huber");
    dataset_close(values);
    static const char *const losses[] = {"sigmoid", "mse", "huber", "mae", "logcosh", "quantile", "gaussian"};
    struct dataset *classes = make_dataset(SAMPLE_PER_SEQUENCE, 5, 0);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        char loss[40];
        snprintf(loss, sizeof loss, "model.loss=%s", losses[i]);
        expect_refused(classes, loss, NULL, "set model.loss = softmax");
        if (strcmp(losses[i], "quantile") != 0 && strcmp(losses[i], "gaussian") != 0)
            expect_refused(classes, loss, "model.output=decoder", "set model.loss = softmax");
    }
    dataset_close(classes);
}
END_TEST

START_TEST(options_of_inputs_and_classes_must_fit_them)
{
    struct dataset *symbols = make_dataset(SAMPLE_PER_SEQUENCE, 5, 7);
    expect_refused(symbols, "train.input_noise=0.5", NULL, "set train.input_noise = 0");
    expect_refused(symbols, "train.class_weights=1,2,3,4", NULL, "5 classes, but train.class_weights has 4");
    dataset_close(symbols);
    struct dataset *features = make_dataset(SAMPLE_PER_SEQUENCE, 5, 0);
    expect_refused(features, "model.embedding=4", NULL, "set model.embedding = 0");
    dataset_close(features);
}
END_TEST

/* Of five features: usual, pressure in hPa, one that hardly moves, a rare one among zeroes, a constant. */
START_TEST(features_far_from_a_size_of_1_are_named_worst_first)
{
    static const char *const names[] = {"usual", "pres\033sure", "drift", "rare", "constant"};
    struct sample_shape shape = {.sequences = SEQUENCES,
        .shortest = 6,
        .longest = 9,
        .features = 5,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 2};
    struct sample sample;
    struct error error = {0};
    char text[900] = "";
    size_t bad;
    sample_init(&sample, &shape, 1);
    for (int64_t r = 0; r < sample.frames; r++) {
        sample.inputs[r * 5 + 1] = 1013 + sample.inputs[r * 5 + 1];
        sample.inputs[r * 5 + 2] *= 0.0001F;
        sample.inputs[r * 5 + 3] = r == 9;
        sample.inputs[r * 5 + 4] = 2;
    }
    struct h5_image *image = sample_image(&sample, NULL);
    h5_image_texts(image, "feature_names", 5, names);
    sample_save(image, path_of("d.h5"));
    sample_finish(&sample);
    struct dataset *dataset = dataset_open(path_of("d.h5"), 0, &error);
    ck_assert_int_eq(scale_describe(dataset, &bad, text, sizeof text, &error), 0);
    ck_assert_uint_eq(bad, 2);
    ck_assert_msg(strstr(text, "/d.h5: inputs: 2 of 5 features are far from a size of 1") &&
            strstr(text, ": feature 1 \"pres?sure\" (mean 1014, deviation 1.") &&
            strstr(text, ") and feature 2 \"drift\" (mean ") && strstr(text, "set data.standardize = yes"),
        "%s", text);
    dataset_close(dataset);
    for (int32_t symbols = 0; symbols < 8; symbols += 7) {
        dataset = make_dataset(SAMPLE_PER_FRAME, 5, symbols);
        ck_assert(scale_describe(dataset, &bad, text, sizeof text, &error) == 0 && bad == 0);
        dataset_close(dataset);
    }
}
END_TEST

START_TEST(decoders_of_values_want_one_number_of_them)
{
    struct error error = {0};
    const char *const set[] = {"model.output=decoder", "model.loss=mse", NULL};
    struct dataset *any = make_dataset(SAMPLE_ANY, 0, 0);
    expect_refused(any, set[0], set[1], "all need the same number");
    struct dataset *one = make_dataset(SAMPLE_PER_SEQUENCE, 0, 0);
    struct net_config model = make_model(set);
    ck_assert_int_eq(model_bind(&model, one, &error), 0);
    ck_assert(model.target_length == 1 && model.outputs == 2 && one->any_targets);
    ck_assert_int_eq(model_accepts(&model, any, 1, &error), -1);
    model.target_length = 2;
    ck_assert_int_eq(model_accepts(&model, one, 1, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "1 in each sequence, but the network makes 2"));
    dataset_close(any);
    dataset_close(one);
}
END_TEST

START_TEST(a_decoder_of_classes_knows_the_longest_target)
{
    static const char *const decoder[] = {"model.output=decoder", NULL};
    static const char *const ctc[] = {"model.output=ctc", NULL};
    struct error error = {0};
    struct dataset *any = make_dataset(SAMPLE_ANY, 5, 0);
    int64_t most = 0;
    for (int64_t s = 0; s < any->sequences; s++)
        if (any->target_offsets[s + 1] - any->target_offsets[s] > most)
            most = any->target_offsets[s + 1] - any->target_offsets[s];
    struct net_config model = make_model(decoder);
    ck_assert_int_eq(model_bind(&model, any, &error), 0);
    ck_assert_int_eq((int64_t)model.target_length, most);
    model.target_length = 1; /* of a validation set it is no matter */
    ck_assert_int_eq(model_accepts(&model, any, 1, &error), 0);
    model = make_model(ctc);
    ck_assert_int_eq(model_bind(&model, any, &error), 0);
    ck_assert_uint_eq(model.target_length, 0);
    dataset_close(any);
}
END_TEST

START_TEST(sizes_left_open_follow_from_others)
{
    static const char *const open[] = {"model.output=decoder", "model.hidden=9,21", NULL};
    static const char *const given[] = {"model.output=decoder", "model.decoder_hidden=7",
        "model.decoder_embedding=5", "model.attention_size=6", NULL};
    static const char *const dot[] = {"model.output=decoder", "model.attention=dot", NULL};
    static const char *const none[] = {"model.output=ctc", NULL};
    struct error error = {0};
    struct dataset *any = make_dataset(SAMPLE_ANY, 5, 0);
    struct net_config model = make_model(open);
    ck_assert_int_eq(model_bind(&model, any, &error), 0);
    ck_assert(model.decoder_hidden == 21 && model.decoder_embedding == 64 && model.attention_size == 21);
    ck_assert(model.inputs == 3 && model.outputs == 5 && !model.symbols);
    model = make_model(given);
    ck_assert_int_eq(model_bind(&model, any, &error), 0);
    ck_assert(model.decoder_hidden == 7 && model.decoder_embedding == 5 && model.attention_size == 6);
    model = make_model(dot);
    ck_assert_int_eq(model_bind(&model, any, &error), 0);
    ck_assert(model.decoder_hidden == 128 && model.attention_size == 0);
    model = make_model(none);
    ck_assert_int_eq(model_bind(&model, any, &error), 0);
    ck_assert(model.decoder_hidden == 0 && model.decoder_embedding == 0 && model.attention_size == 0);
    dataset_close(any);
}
END_TEST

static void count_only(void *context, const char *text)
{
    ck_assert_ptr_nonnull(strstr(text, "frames for ctc"));
    ++*(size_t *)context;
}

/* Every sequence has a target for each frame, some of them like the one before. */
START_TEST(labels_that_frames_have_no_room_for_are_refused_for_ctc_alone)
{
    static const char *const ctc[] = {"model.output=ctc", NULL},
                             *const decoder[] = {"model.output=decoder", NULL};
    struct error error = {0};
    struct faults faults;
    size_t lines = 0;
    struct dataset *all = make_dataset(SAMPLE_PER_FRAME_OFFSETS, 2, 0);
    struct net_config model = make_model(ctc);
    ck_assert_int_eq(model_bind(&model, all, &error), 0);
    ck_assert_int_eq(model_require_targets(&model, all, 0, 1, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "frames for ctc"));
    faults_init(&faults, 100, count_only, &lines);
    model_check_targets(&model, all, &faults);
    ck_assert(lines > 1 && lines <= SEQUENCES && faults.count == lines);
    model = make_model(decoder);
    ck_assert_int_eq(model_bind(&model, all, &error), 0);
    ck_assert_int_eq(model_require_targets(&model, all, 0, 1, &error), 0);
    dataset_close(all);
}
END_TEST

int main(void)
{
    sample_make_folder(folder, sizeof folder);
    Suite *suite = suite_create("model");
    TCase *cases = tcase_create("model");
    tcase_add_test(cases, outputs_want_their_own_number_of_targets);
    tcase_add_test(cases, losses_want_classes_or_values);
    tcase_add_test(cases, options_of_inputs_and_classes_must_fit_them);
    tcase_add_test(cases, features_far_from_a_size_of_1_are_named_worst_first);
    tcase_add_test(cases, decoders_of_values_want_one_number_of_them);
    tcase_add_test(cases, a_decoder_of_classes_knows_the_longest_target);
    tcase_add_test(cases, sizes_left_open_follow_from_others);
    tcase_add_test(cases, labels_that_frames_have_no_room_for_are_refused_for_ctc_alone);
    suite_add_tcase(suite, cases);
    int code = suite_run(suite);
    sample_remove_folder(folder);
    return code;
}
