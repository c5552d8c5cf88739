#include "data/import/spectrum.h"

#include "base/mathematics.h"
#include "base/memory.h"

#ifdef HAVE_KISSFFT
#include <kiss_fftr.h>
#endif

#include <float.h>
#include <math.h>
#include <string.h>

enum { LEAST_POINTS = 512, LIFTER = 22 };

struct spectrum {
    size_t window, step, points; /* samples */
    int cepstral;
    double *power;                                          /* [points / 2 + 1] */
    double edge[SPECTRUM_FILTERS + 2];                      /* bins at which filters begin, peak and end */
    double cosine[SPECTRUM_COEFFICIENTS][SPECTRUM_FILTERS]; /* of the transform, with the lifter */
#ifdef HAVE_KISSFFT
    kiss_fftr_cfg transform;
    float *padded;      /* [points] */
    kiss_fft_cpx *bins; /* [points / 2 + 1] */
#endif
};

/* Equally spaced on the mel scale, each rounded down to a bin. */
static void place_filters(struct spectrum *spectrum, int rate)
{
    double ten = math_log(10), most = 2595 * (math_log(1 + rate / 2.0 / 700.0) / ten);
    for (size_t j = 0; j < SPECTRUM_FILTERS + 2; j++) {
        double mel = (double)j * (most / (SPECTRUM_FILTERS + 1));
        double hertz = 700 * (math_exp(mel / 2595.0 * ten) - 1);
        spectrum->edge[j] = floor((double)(spectrum->points + 1) * hertz / rate);
    }
}

/* The orthonormal transform of type 2, each row multiplied by 1 + 11 sin(pi k / 22). */
static void place_cosines(struct spectrum *spectrum)
{
    for (size_t k = 0; k < SPECTRUM_COEFFICIENTS; k++) {
        double scale = sqrt((k ? 2.0 : 1.0) / SPECTRUM_FILTERS);
        double lift = 1 + LIFTER / 2.0 * math_cos(MATH_PI * (double)k / LIFTER - MATH_PI / 2);
        for (size_t j = 0; j < SPECTRUM_FILTERS; j++)
            spectrum->cosine[k][j] =
                lift * scale * math_cos(MATH_PI * (double)(k * (2 * j + 1)) / (2.0 * SPECTRUM_FILTERS));
    }
}

#ifdef HAVE_KISSFFT

const char *spectrum_missing(void)
{
    return NULL;
}

static int make_transform(struct spectrum *spectrum, struct error *error)
{
    spectrum->padded = memory_create(spectrum->points, sizeof *spectrum->padded, error);
    spectrum->bins = memory_create(spectrum->points / 2 + 1, sizeof *spectrum->bins, error);
    spectrum->transform = kiss_fftr_alloc((int)spectrum->points, 0, NULL, NULL);
    if (!spectrum->transform)
        return error_set(
            error, EXIT_CODE_INTERNAL, "out of memory for a transform of %zu points", spectrum->points);
    return spectrum->padded && spectrum->bins ? 0 : -1;
}

static void finish_transform(struct spectrum *spectrum)
{
    memory_destroy(spectrum->padded);
    memory_destroy(spectrum->bins);
    kiss_fftr_free(spectrum->transform);
}

static void compute_power(struct spectrum *spectrum, const float *window)
{
    memcpy(spectrum->padded, window, spectrum->window * sizeof *window);
    kiss_fftr(spectrum->transform, spectrum->padded, spectrum->bins);
    for (size_t i = 0; i <= spectrum->points / 2; i++) {
        double re = spectrum->bins[i].r, im = spectrum->bins[i].i;
        spectrum->power[i] = (re * re + im * im) / (double)spectrum->points;
    }
}

#else

const char *spectrum_missing(void)
{
    return "kissfft";
}

static int make_transform(struct spectrum *spectrum, struct error *error)
{
    return error_set(error, EXIT_CODE_USAGE, "there is no transform without kissfft");
}

static void finish_transform(struct spectrum *spectrum)
{
}

static void compute_power(struct spectrum *spectrum, const float *window)
{
}

#endif

struct spectrum *spectrum_create(int rate, int cepstral, struct error *error)
{
    struct spectrum *spectrum = memory_create(1, sizeof *spectrum, error);
    if (!spectrum)
        return NULL;
    spectrum->cepstral = cepstral;
    spectrum->window = (size_t)floor(0.025 * rate + 0.5);
    spectrum->step = (size_t)floor(0.01 * rate + 0.5);
    for (spectrum->points = LEAST_POINTS; spectrum->points < spectrum->window;)
        spectrum->points *= 2;
    place_filters(spectrum, rate);
    place_cosines(spectrum);
    spectrum->power = memory_create(spectrum->points / 2 + 1, sizeof *spectrum->power, error);
    if (spectrum->power && make_transform(spectrum, error) == 0)
        return spectrum;
    spectrum_destroy(spectrum);
    return NULL;
}

void spectrum_destroy(struct spectrum *spectrum)
{
    if (!spectrum)
        return;
    finish_transform(spectrum);
    memory_destroy(spectrum->power);
    memory_destroy(spectrum);
}

size_t spectrum_features(const struct spectrum *spectrum)
{
    return spectrum->cepstral ? SPECTRUM_COEFFICIENTS : SPECTRUM_FILTERS;
}

size_t spectrum_step(const struct spectrum *spectrum)
{
    return spectrum->step;
}

size_t spectrum_window(const struct spectrum *spectrum)
{
    return spectrum->window;
}

/* The logarithm of an energy, of which there may be none. */
static double log_energy(double energy)
{
    return math_log(energy == 0 ? DBL_EPSILON : energy);
}

/* A triangle over the bins from the edge before to the edge behind. */
static double filter_energy(const struct spectrum *spectrum, size_t j)
{
    double first = spectrum->edge[j], peak = spectrum->edge[j + 1], last = spectrum->edge[j + 2], sum = 0;
    for (double i = first; i < peak; i++)
        sum += spectrum->power[(size_t)i] * ((i - first) / (peak - first));
    for (double i = peak; i < last; i++)
        sum += spectrum->power[(size_t)i] * ((last - i) / (last - peak));
    return sum;
}

void spectrum_compute(struct spectrum *spectrum, const float *window, float *features)
{
    double energy = 0, filters[SPECTRUM_FILTERS];
    compute_power(spectrum, window);
    for (size_t i = 0; i <= spectrum->points / 2; i++)
        energy += spectrum->power[i];
    for (size_t j = 0; j < SPECTRUM_FILTERS; j++)
        filters[j] = log_energy(filter_energy(spectrum, j));
    if (!spectrum->cepstral) {
        for (size_t j = 0; j < SPECTRUM_FILTERS; j++)
            features[j] = (float)filters[j];
        return;
    }
    features[0] = (float)log_energy(energy);
    for (size_t k = 1; k < SPECTRUM_COEFFICIENTS; k++) {
        double sum = 0;
        for (size_t j = 0; j < SPECTRUM_FILTERS; j++)
            sum += spectrum->cosine[k][j] * filters[j];
        features[k] = (float)sum;
    }
}
