/* Text of a configuration: whatever is accepted must be written and read again alike. */
#include "base/memory.h"
#include "config/config.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void forget(void *context, const char *text)
{
}

/* The accepted configuration as a text, or NULL. */
static char *read_and_write(const uint8_t *bytes, size_t size)
{
    char path[FUZZ_PATH_BYTES], *text = NULL;
    struct config config;
    struct faults faults;
    fuzz_file_make(bytes, size, path);
    faults_init(&faults, 100, forget, NULL);
    config_init(&config);
    if (config_read(&config, path, 0, NULL, &faults) == 0) {
        text = config_write(&config, 1, NULL);
        if (!text)
            abort();
    } else if (!faults.count) {
        abort();
    }
    config_finish(&config);
    unlink(path);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = read_and_write(bytes, size);
    if (text) {
        char *again = read_and_write((const uint8_t *)text, strlen(text));
        if (!again || strcmp(text, again) != 0)
            abort();
        memory_destroy(again);
        fuzz_accepted++;
    }
    memory_destroy(text);
    return 0;
}
