/* Features of speech of a whole file (data/import/spectrum.h of its windows), with their slopes: the `delta`
 * of python_speech_features over two frames on either side, of which the first and the last are repeated. */
#ifndef DATA_IMPORT_SPEECH_H
#define DATA_IMPORT_SPEECH_H

#include "base/error.h"

#include <stddef.h>

enum { SPEECH_LEAST_RATE = 1000, SPEECH_MOST_RATE = 1000000 };

struct speech;

const char *speech_missing(void); /* as spectrum_missing */

/* For files of SPEECH_LEAST_RATE to SPEECH_MOST_RATE samples a second; `deltas`: how often slopes are taken,
 * 0 to 2. The caller's (speech_destroy, which takes NULL); NULL and an error. */
struct speech *speech_create(int rate, int cepstral, int deltas, struct error *error);
void speech_destroy(struct speech *speech);

size_t speech_features(const struct speech *speech);
const char *const *speech_names(const struct speech *speech); /* [features] */
size_t speech_step(const struct speech *speech);              /* samples from frame to frame */

/* A file: its samples, from -1 to 1, in any pieces. What lies behind them in the last window is zero. */
void speech_begin(struct speech *speech);
int speech_add(struct speech *speech, const float *samples, size_t n, struct error *error);
int speech_end(struct speech *speech, struct error *error);

/* Its frames, until the next speech_begin. */
size_t speech_frames(const struct speech *speech); /* 0: there was no sample */
const float *speech_frame(const struct speech *speech, size_t t);

#endif
