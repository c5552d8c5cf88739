/* A dataset: what opens must be read to its end, and what the whole check finds good must open. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/summary.h"
#include "data/targets.h"
#include "fuzz/fuzz.h"
#include "net/losses/loss.h"

#include <stdlib.h>
#include <unistd.h>

enum { CACHE = 1 << 20 };

static void forget(void *context, const char *text)
{
}

static void use(struct dataset *dataset)
{
    struct error error;
    uint64_t fingerprint;
    int has;
    dataset_former_fingerprint(dataset, &fingerprint, &error);
    dataset_has_labels(dataset, &has, &error);
    for (int64_t s = 0; s < dataset->sequences && s < 4; s++)
        memory_destroy(dataset_name(dataset, s, &error));
    if (dataset->features && dataset->features < 4096) {
        double *sums = memory_create(2 * dataset->features, sizeof *sums, &error);
        if (sums)
            dataset_moments(dataset, sums, sums + dataset->features, &error);
        memory_destroy(sums);
    }
}

/* As rnn-data info does. */
static void tell(const char *path)
{
    struct summary summary = {0};
    struct error error = {0};
    if (summary_init(&summary, path, &error) && (!error.code || !error.text[0]))
        abort();
    summary_finish(&summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    struct error error = {0};
    struct faults faults;
    fuzz_file_make(bytes, size, path);
    faults_init(&faults, 20, forget, NULL);
    dataset_check(path, loss_kinds[LOSS_SIGMOID], &faults);
    struct dataset *dataset = dataset_open(path, CACHE, &error);
    if (dataset) {
        use(dataset);
        tell(path);
        fuzz_accepted++;
    } else if (!error.code || !error.text[0] || !faults.count) {
        abort();
    }
    dataset_close(dataset);
    unlink(path);
    return 0;
}
