/* Weights that come into a checkpoint of one network, and into a new one where the file says of which: what
 * is taken makes a checkpoint that is written and read again, and what is refused says why. */
#include "config/config.h"
#include "fuzz/fuzz.h"
#include "model/incoming.h"

#include <stdlib.h>
#include <unistd.h>

/* The network of the seeds whose names begin with "plain". */
static void begin_like(struct stored *stored)
{
    struct config config;
    struct error error;
    config_init(&config);
    config.model.cell = CELL_LSTM;
    config.model.output = OUTPUT_FRAME;
    config.model.loss = LOSS_MSE;
    config.model.layers = config.model.hidden[0] = 1;
    config.model.bidirectional[0] = 0;
    config.model.peepholes = 1;
    config.model.inputs = config.model.outputs = 1;
    if (stored_begin(stored, &config.model, &error) != 0)
        abort();
    config_finish(&config);
}

/* What was taken is written as the program does it, and must be read again. */
static void use(struct stored *stored, const char *path)
{
    struct stored again = {0};
    struct error error;
    if (stored_keep_weights(stored, "fuzz", &error) != 0 || stored_write(stored, path, &error) != 0 ||
        stored_read(&again, path, CHECKPOINT_ANY, &error) != 0)
        abort();
    stored_finish(&again);
    fuzz_accepted++;
}

static void read_once(const uint8_t *bytes, size_t size, int like)
{
    char path[FUZZ_PATH_BYTES];
    struct stored stored = {0};
    struct error error = {0};
    fuzz_file_make(bytes, size, path);
    if (like)
        begin_like(&stored);
    if (incoming_read(&stored, path, &error) == 0)
        use(&stored, path);
    else if (!error.code || !error.text[0])
        abort();
    stored_finish(&stored);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_once(bytes, size, 0);
    read_once(bytes, size, 1);
    return 0;
}
