/* Files of sound, a sequence each: a source is one of them, or a list (data/import/files.h). Samples become
 * features of speech, with their slopes over time where these are asked for, or stay what they are. */
#include "data/import/files.h"
#include "data/import/keyed.h"
#include "data/import/sound.h"
#include "data/import/speech.h"

#include <string.h>

enum audio_features { FEATURES_MFCC, FEATURES_FBANK, FEATURES_RAW };

static const char *const feature_kinds[] = {"mfcc", "fbank", "raw", NULL};

enum { MOST_DELTAS = 2, BLOCK = 4096, UNITS_A_SECOND = 10000000 };

struct audio_options {
    struct import_options common;
    enum audio_features features;
    int64_t deltas;
    struct keyed_options keyed;
};

struct audio_state {
    struct keyed_targets keyed;
    struct speech *speech; /* NULL: raw, or nothing has come */
    int rate;              /* of all files; 0: nothing has come */
    size_t channels;
    int has_declared; /* of this source */
};

static int check(const void *bytes, struct error *error)
{
    const struct audio_options *options = bytes;
    if (options->features != FEATURES_RAW && speech_missing())
        return error_set(error, EXIT_CODE_USAGE,
            "--features %s: this program was built without %s: install it with "
            "its headers and build anew, or take --features raw",
            feature_kinds[options->features], speech_missing());
    if (options->features == FEATURES_RAW && options->deltas)
        return error_set(
            error, EXIT_CODE_USAGE, "--deltas goes with --features mfcc and fbank: leave it out");
    return keyed_check(&options->keyed, error);
}

/* Refuses a file that is not as those before it. */
static int compare(struct import *import, struct audio_state *state, const struct audio_options *options,
    const struct sound *sound)
{
    if (options->features != FEATURES_RAW && sound_channels(sound) != 1)
        return import_refuse(import,
            "has %zu channels, but features are computed from one: mix them, or take one of "
            "them (sox, ffmpeg)",
            sound_channels(sound));
    if (state->rate && (state->rate != sound_rate(sound) || state->channels != sound_channels(sound)))
        return import_refuse(import,
            "has %zu channels of %d samples a second, but the first file %zu of %d: all must "
            "have the same, resample them (sox, ffmpeg)",
            sound_channels(sound), sound_rate(sound), state->channels, state->rate);
    state->rate = sound_rate(sound);
    state->channels = sound_channels(sound);
    if (options->features == FEATURES_RAW || state->speech)
        return 0;
    if (state->rate < SPEECH_LEAST_RATE || state->rate > SPEECH_MOST_RATE)
        return import_refuse(import,
            "has %d samples a second, but features are computed of %d to %d: take "
            "--features raw, or resample it",
            state->rate, SPEECH_LEAST_RATE, SPEECH_MOST_RATE);
    state->speech = speech_create(
        state->rate, options->features == FEATURES_MFCC, (int)options->deltas, import_error(import));
    return state->speech ? 0 : -1;
}

static int declare(struct import *import, struct audio_state *state)
{
    struct import_shape shape = {.features = state->channels};
    if (state->has_declared)
        return 0;
    if (state->speech) {
        shape.features = speech_features(state->speech);
        shape.feature_names = speech_names(state->speech);
    }
    state->has_declared = 1;
    keyed_describe(&state->keyed, &shape);
    return import_declare(import, &shape);
}

/* Adds the samples as they are, and counts them. */
static int add_samples(struct import *import, struct sound *sound, int64_t *frames)
{
    int64_t n = 0, most = BLOCK / (int64_t)sound_channels(sound);
    float samples[BLOCK];
    for (*frames = 0; (n = sound_read(sound, samples, most, import_error(import))) > 0; *frames += n)
        if (import_add_rows(import, samples, n) != 0)
            return -1;
    return (int)n;
}

static int add_features(struct import *import, struct speech *speech, struct sound *sound, int64_t *frames)
{
    int64_t n;
    float samples[BLOCK];
    struct error *error = import_error(import);
    speech_begin(speech);
    while ((n = sound_read(sound, samples, BLOCK, error)) > 0)
        if (speech_add(speech, samples, (size_t)n, error) != 0)
            return -1;
    if (n < 0 || speech_end(speech, error) != 0)
        return -1;
    *frames = (int64_t)speech_frames(speech);
    for (int64_t t = 0; t < *frames; t++)
        if (import_add_rows(import, speech_frame(speech, (size_t)t), 1) != 0)
            return -1;
    return 0;
}

static int add_sequence(
    struct import *import, struct audio_state *state, const char *name, struct sound *sound)
{
    struct mark *mark;
    struct keyed_sequence sequence = {.name = name};
    int wanted = keyed_find(&state->keyed, import, name, &mark);
    if (wanted <= 0)
        return wanted;
    if (declare(import, state) != 0 || import_begin(import, name, NULL) != 0)
        return -1;
    size_t step = state->speech ? speech_step(state->speech) : 1;
    sequence.period = (int64_t)step * UNITS_A_SECOND / state->rate;
    int outcome = state->speech ? add_features(import, state->speech, sound, &sequence.frames)
                                : add_samples(import, sound, &sequence.frames);
    if (outcome == 0 && sequence.frames == 0)
        outcome = import_refuse(import, "holds no samples: leave it out");
    return outcome != 0 || keyed_add(&state->keyed, import, mark, &sequence) != 0 || import_end(import) != 0
        ? -1
        : 0;
}

/* What the reading of a list hands on. */
struct audio_reading {
    struct audio_state *state;
    const struct audio_options *options;
};

static int read_file(struct import *import, void *context, const char *name, const char *path)
{
    const struct audio_reading *reading = context;
    struct sound *sound = sound_open(path, import_error(import));
    if (!sound)
        return -1;
    import_set_file(import, path);
    int outcome = compare(import, reading->state, reading->options, sound) != 0
        ? -1
        : add_sequence(import, reading->state, name, sound);
    import_set_file(import, NULL);
    sound_close(sound);
    return outcome;
}

static int read_source(struct import *import, const void *options)
{
    struct audio_reading reading = {import_state(import), options};
    if (!reading.state->keyed.is_open &&
        keyed_open(&reading.state->keyed, &reading.options->keyed, import_error(import)) != 0)
        return -1;
    reading.state->has_declared = 0;
    return import_each_file(import, read_file, &reading);
}

static int end(struct import *import, const void *options)
{
    struct audio_state *state = import_state(import);
    return keyed_end(&state->keyed, import);
}

static void finish(void *bytes)
{
    struct audio_state *state = bytes;
    keyed_finish(&state->keyed);
    speech_destroy(state->speech);
}

static const struct option_row rows[] = {
    {"features", 0, OPTION_CHOICE, offsetof(struct audio_options, features), .names = feature_kinds,
        .argument = "KIND",
        .help = "mfcc (default): 13 cepstral coefficients every 10 ms; fbank: 26 log energies of\n"
                "filters; raw: the samples, a feature a channel"},
    {"deltas", 0, OPTION_WHOLE, offsetof(struct audio_options, deltas), 0, MOST_DELTAS, .argument = "N",
        .help = "1: slopes of features too; 2: slopes of these too (default 0)"},
    KEYED_ROW_MLF(struct audio_options), KEYED_ROWS_TEXT(struct audio_options)};

static const struct audio_options defaults = {.keyed = KEYED_DEFAULTS};

#ifdef HAVE_SNDFILE
#define LACKS NULL
#else
#define LACKS "libsndfile"
#endif

const struct import_kind import_audio = {
    .name = "audio",
    .summary = "files of sound (WAV, FLAC), with texts or labels",
    .missing_library = LACKS,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .state = sizeof(struct audio_state),
    .check = check,
    .read = read_source,
    .end = end,
    .finish = finish,
};
