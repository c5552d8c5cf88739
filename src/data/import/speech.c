/* Frames lie in one array that grows: of an hour with slopes 56 MB. A window begins every step until one has
 * reached the last sample; that is the count of frames of the reference, which knows the samples beforehand.
 */
#include "data/import/speech.h"

#include "base/array.h"
#include "base/memory.h"
#include "data/import/spectrum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32, REACH = 2 /* frames on either side of a slope */ };

static const double preemphasis = 0.97, scale = 32768; /* of 16-bit integers */

struct speech {
    struct spectrum *spectrum;
    size_t own, features, deltas; /* of one frame: without and with slopes */
    char (*name)[NAME_BYTES];     /* [features] */
    const char **names;
    double last;    /* sample before the next, on the scale of integers */
    size_t samples; /* so far */
    float *window;  /* the window that is being filled */
    size_t filled;
    float *frames; /* [count][features] */
    size_t count, room;
};

const char *speech_missing(void)
{
    return spectrum_missing();
}

static int make_names(struct speech *speech, int cepstral, struct error *error)
{
    static const char *const slope[] = {"", " delta", " delta delta"};
    speech->name = memory_create(speech->features, sizeof *speech->name, error);
    speech->names = memory_create(speech->features, sizeof *speech->names, error);
    if (!speech->name || !speech->names)
        return -1;
    for (size_t i = 0; i < speech->features; i++) {
        size_t k = i % speech->own, d = i / speech->own;
        if (cepstral && k == 0)
            snprintf(speech->name[i], NAME_BYTES, "energy%s", slope[d]);
        else
            snprintf(
                speech->name[i], NAME_BYTES, "%s %u%s", cepstral ? "mfcc" : "fbank", (unsigned)k, slope[d]);
        speech->names[i] = speech->name[i];
    }
    return 0;
}

struct speech *speech_create(int rate, int cepstral, int deltas, struct error *error)
{
    struct speech *speech = memory_create(1, sizeof *speech, error);
    if (!speech)
        return NULL;
    speech->spectrum = spectrum_create(rate, cepstral, error);
    if (speech->spectrum) {
        speech->own = spectrum_features(speech->spectrum);
        speech->deltas = (size_t)deltas;
        speech->features = speech->own * (speech->deltas + 1);
        speech->window = memory_create(spectrum_window(speech->spectrum), sizeof *speech->window, error);
        if (speech->window && make_names(speech, cepstral, error) == 0)
            return speech;
    }
    speech_destroy(speech);
    return NULL;
}

void speech_destroy(struct speech *speech)
{
    if (!speech)
        return;
    spectrum_destroy(speech->spectrum);
    memory_destroy(speech->name);
    memory_destroy(speech->names);
    memory_destroy(speech->window);
    free(speech->frames);
    memory_destroy(speech);
}

size_t speech_features(const struct speech *speech)
{
    return speech->features;
}

const char *const *speech_names(const struct speech *speech)
{
    return speech->names;
}

size_t speech_step(const struct speech *speech)
{
    return spectrum_step(speech->spectrum);
}

void speech_begin(struct speech *speech)
{
    speech->last = 0;
    speech->samples = speech->filled = speech->count = 0;
}

/* Computes the frame of the window, and begins the next with what the two have in common. */
static int take_frame(struct speech *speech, struct error *error)
{
    size_t window = spectrum_window(speech->spectrum), step = spectrum_step(speech->spectrum);
    float *wider =
        array_reserve(speech->frames, &speech->room, (speech->count + 1) * speech->features, sizeof *wider);
    if (!wider)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory for %zu frames", speech->count);
    speech->frames = wider;
    spectrum_compute(speech->spectrum, speech->window, wider + speech->count++ * speech->features);
    memmove(speech->window, speech->window + step, (window - step) * sizeof *speech->window);
    speech->filled = window - step;
    return 0;
}

/* A window that is full is computed when a sample behind it comes, or at the end. */
int speech_add(struct speech *speech, const float *samples, size_t n, struct error *error)
{
    size_t window = spectrum_window(speech->spectrum);
    for (size_t i = 0; i < n; i++) {
        double sample = samples[i] * scale;
        if (speech->filled == window && take_frame(speech, error) != 0)
            return -1;
        speech->window[speech->filled++] = (float)(sample - preemphasis * speech->last);
        speech->last = sample;
        speech->samples++;
    }
    return 0;
}

/* The slope of a feature at frame t: sum of k (x[t + k] - x[t - k]) over k, divided by twice the sum of k^2.
 */
static float slope(const struct speech *speech, size_t t, size_t feature)
{
    double sum = 0, squares = 0;
    for (size_t k = 1; k <= REACH; k++) {
        size_t before = t < k ? 0 : t - k, behind = t + k < speech->count ? t + k : speech->count - 1;
        sum += (double)k *
            ((double)speech->frames[behind * speech->features + feature] -
                (double)speech->frames[before * speech->features + feature]);
        squares += (double)(k * k);
    }
    return (float)(sum / (2 * squares));
}

int speech_end(struct speech *speech, struct error *error)
{
    size_t window = spectrum_window(speech->spectrum);
    if (!speech->samples)
        return 0;
    memset(speech->window + speech->filled, 0, (window - speech->filled) * sizeof *speech->window);
    if (take_frame(speech, error) != 0)
        return -1;
    for (size_t d = 0; d < speech->deltas; d++)
        for (size_t t = 0; t < speech->count; t++)
            for (size_t i = 0; i < speech->own; i++)
                speech->frames[t * speech->features + (d + 1) * speech->own + i] =
                    slope(speech, t, d * speech->own + i);
    return 0;
}

size_t speech_frames(const struct speech *speech)
{
    return speech->count;
}

const float *speech_frame(const struct speech *speech, size_t t)
{
    return speech->frames + t * speech->features;
}
