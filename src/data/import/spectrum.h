/* Features of speech from samples of sound, as python_speech_features 0.6 defines them (its base.py and
 * sigproc.py), with its defaults: windows of 25 ms every 10 ms, preemphasis of 0.97, 26 filters from 0 Hz to
 * half the rate.
 *
 *     fbank  logarithms of the energies of the filters (logfbank there)
 *     mfcc   their cosine transform, 13 coefficients, liftered by 22, the first of which is replaced by the
 * logarithm of the energy of the window
 *
 * The transform has 512 points, or where a window has more the power of two that holds it. Samples are taken
 * on the scale of 16-bit integers. */
#ifndef DATA_IMPORT_SPECTRUM_H
#define DATA_IMPORT_SPECTRUM_H

#include "base/error.h"

#include <stddef.h>

enum { SPECTRUM_FILTERS = 26, SPECTRUM_COEFFICIENTS = 13 };

struct spectrum;

/* What this program was built without and spectrum_create cannot do without; NULL. */
const char *spectrum_missing(void);

/* `rate`: samples a second, 1000 to 1000000. The caller's (spectrum_destroy, which takes NULL). NULL and an
 * error without memory. */
struct spectrum *spectrum_create(int rate, int cepstral, struct error *error);
void spectrum_destroy(struct spectrum *spectrum);

size_t spectrum_features(const struct spectrum *spectrum); /* 26 or 13 */

/* Samples from window to window, and in one. */
size_t spectrum_step(const struct spectrum *spectrum);
size_t spectrum_window(const struct spectrum *spectrum);

/* Computes the features of one window of samples, which preemphasis has passed: [features]. */
void spectrum_compute(struct spectrum *spectrum, const float *window, float *features);

#endif
