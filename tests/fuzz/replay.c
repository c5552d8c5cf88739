/* Every file and every file in every folder of the command line, once. A crash is a failure, and that a file
 * behind the word "good" is not accepted. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int count, good;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || stat(path, &status) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size ? size : 1); /* as long as the input: reading behind it shows */
    if (!bytes || fread(bytes, 1, size, file) != size)
        exit(EXIT_FAILURE);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    int accepted = fuzz_accepted;
    LLVMFuzzerTestOneInput(bytes, size);
    if (good && fuzz_accepted == accepted) {
        fputs("was not accepted\n", stderr);
        exit(EXIT_FAILURE);
    }
    free(bytes);
    count++;
}

static void replay(const char *path)
{
    char name[4096];
    DIR *folder = opendir(path);
    if (!folder) {
        replay_file(path);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "good") == 0)
            good = 1;
        else
            replay(argv[i]);
    printf("%d inputs\n", count);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
