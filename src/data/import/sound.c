#include "data/import/sound.h"

#ifdef HAVE_SNDFILE

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <sndfile.h>
#include <unistd.h>

enum { MOST_CHANNELS = 1024 };

struct sound {
    SNDFILE *file;
    SF_INFO info;
    int descriptor;
    char *path;
    int64_t done; /* samples that were read */
};

/* The library opens no file by name: "-" would be standard input, and a FIFO would be waited for. Without a
 * line of the header that says so it takes nothing for raw samples. */
struct sound *sound_open(const char *path, struct error *error)
{
    struct sound *sound = memory_create(1, sizeof *sound, error);
    if (!sound)
        return NULL;
    sound->descriptor = file_open(path, "a file of sound", error);
    sound->path = sound->descriptor < 0 ? NULL : text_copy(path, error);
    if (sound->path) {
        sound->file = sf_open_fd(sound->descriptor, SFM_READ, &sound->info, SF_FALSE);
        if (!sound->file)
            error_set(error, EXIT_CODE_DATA, "%s: libsndfile cannot read it: %s", path, sf_strerror(NULL));
        else if (sound->info.channels < 1 || sound->info.channels > MOST_CHANNELS ||
            sound->info.samplerate < 1)
            error_set(error, EXIT_CODE_DATA, "%s: has %d channels of %d samples a second: it is damaged",
                path, sound->info.channels, sound->info.samplerate);
        else
            return sound;
    }
    sound_close(sound);
    return NULL;
}

void sound_close(struct sound *sound)
{
    if (!sound)
        return;
    if (sound->file)
        sf_close(sound->file);
    if (sound->descriptor >= 0)
        close(sound->descriptor);
    memory_destroy(sound->path);
    memory_destroy(sound);
}

int sound_rate(const struct sound *sound)
{
    return sound->info.samplerate;
}

size_t sound_channels(const struct sound *sound)
{
    return (size_t)sound->info.channels;
}

int64_t sound_read(struct sound *sound, float *samples, int64_t most, struct error *error)
{
    int64_t n = (int64_t)sf_readf_float(sound->file, samples, (sf_count_t)most);
    if (sf_error(sound->file) != SF_ERR_NO_ERROR)
        return error_set(error, EXIT_CODE_DATA,
            "%s: sample %" PRId64 " and those behind it cannot be read: %s", sound->path, sound->done,
            sf_strerror(sound->file));
    if (n > 0) {
        sound->done += n;
        return n;
    }
    if (sound->info.frames != SF_COUNT_MAX && sound->done < (int64_t)sound->info.frames)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has %" PRId64 " samples, but should have %" PRId64 ": it is cut off, copy it again",
            sound->path, sound->done, (int64_t)sound->info.frames);
    return 0;
}

#else

struct sound *sound_open(const char *path, struct error *error)
{
    error_set(error, EXIT_CODE_USAGE, "%s: this program was built without libsndfile", path);
    return NULL;
}

void sound_close(struct sound *sound)
{
}

int sound_rate(const struct sound *sound)
{
    return 0;
}

size_t sound_channels(const struct sound *sound)
{
    return 0;
}

int64_t sound_read(struct sound *sound, float *samples, int64_t most, struct error *error)
{
    return 0;
}

#endif
