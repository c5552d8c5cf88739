#include "ckpt/trained.h"

int trained_read(
    const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint, struct error *error)
{
    struct checkpoint read;
    checkpoint_init(&read);
    int outcome = checkpoint_read(path, trust, &read, error);
    if (outcome != 0)
        return outcome;
    if (read.features && (read.model.symbols || read.features != read.model.inputs)) {
        error_set(error, EXIT_CODE_DATA,
            "%s: standardizes %zu features, but the network has %zu inputs: this is no checkpoint of "
            "rnn-train",
            path, read.features, read.model.inputs);
        checkpoint_finish(&read);
        return -1;
    }
    *checkpoint = read;
    return 0;
}
