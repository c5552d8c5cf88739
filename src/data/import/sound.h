/* Files of sound, by libsndfile: WAV, FLAC and what else it reads. */
#ifndef DATA_IMPORT_SOUND_H
#define DATA_IMPORT_SOUND_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct sound;

/* Opens an ordinary file, in a program that was built with the library. The caller's (sound_close, which
 * takes NULL); NULL and an error. */
struct sound *sound_open(const char *path, struct error *error);
void sound_close(struct sound *sound);

int sound_rate(const struct sound *sound);
size_t sound_channels(const struct sound *sound);

/* Reads at most `most` samples of all channels, [samples][channels] from -1 to 1. Returns how many there
 * were, 0 at the end, -1 and an error: also where the file has fewer than its header says. */
int64_t sound_read(struct sound *sound, float *samples, int64_t most, struct error *error);

#endif
